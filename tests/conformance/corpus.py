"""What is fed to the two consoles: the examples of four packages and R's own regression inputs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conformance.left_out import LEFT_OUT_PAGES, LEFT_OUT_TESTS
from tests.conformance.sources import r_tests_directory

PACKAGES = ("base", "stats", "utils", "graphics")
PAGES_PER_INPUT = 40
_RESET = (
    "rm(list = ls(all.names = TRUE)); graphics.off()",
    'RNGkind("default", "default", "default"); set.seed(1)',
)


@dataclass(frozen=True, slots=True)
class ConsoleInput:
    """Lines for the console, and the folder whose copy R starts in (None: an empty one)."""

    name: str
    lines: tuple[str, ...]
    files: Path | None = None


def example_inputs() -> Iterator[ConsoleInput]:
    """The examples of the installed R's packages, forty help pages to an R process."""
    for package in PACKAGES:
        pages = [page for page in example_pages(package) if f"{package}/{page[0]}" not in LEFT_OUT_PAGES]
        for number, first in enumerate(range(0, len(pages), PAGES_PER_INPUT), 1):
            yield ConsoleInput(f"{package}-examples-{number}", _lines(pages[first : first + PAGES_PER_INPUT]))


def regression_inputs() -> Iterator[ConsoleInput]:
    """R's regression inputs `tests/*.R`.

    :raises SourceUnavailableError: the source package could not be had.
    """
    directory = r_tests_directory()
    for path in sorted(directory.glob("*.R")):
        if path.name not in LEFT_OUT_TESTS:
            yield ConsoleInput(path.name, ("set.seed(1)", *_read(path).split("\n")[:-1]), directory)


@cache
def example_pages(package: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Name and example lines of every help page that has examples."""
    with tempfile.TemporaryDirectory(prefix="examples-") as directory:
        script = Path(__file__).with_name("examples.R")
        r = shutil.which("Rscript") or "Rscript"
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_COLLATE": "C"}
        subprocess.run([r, "--vanilla", str(script), package, directory], check=True, env=environment)
        files = sorted(Path(directory).glob("*.R"))
        return tuple((file.stem, tuple(file.read_text(encoding="utf-8").split("\n")[:-1])) for file in files)


def _read(path: Path) -> str:
    """Files in Latin-1 are fed as the text that they show, without carriage returns: what a browser would paste."""
    data = path.read_bytes().replace(b"\r\n", b"\n")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _lines(pages: list[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    return tuple(line for _, page in pages for line in (*_RESET, *page))

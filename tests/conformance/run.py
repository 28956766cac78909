"""One input given to both consoles, under the same paths and environment, and what differs."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.compare import Difference, differences, differing_lines
from tests.conformance.corpus import ConsoleInput
from tests.conformance.session import run_session
from tests.conformance.terminal import terminal_r
from tests.conformance.turns import Transcript

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "USER": "test",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    # Help pages and listings would otherwise wait for somebody to turn the page.
    "PAGER": "cat",
    # Whether a machine has programs that show pages says nothing about a console, and they would write when they like.
    "R_BROWSER": "true",
    "R_PDFVIEWER": "true",
    # R's regression inputs look here for their data.
    "SRCDIR": ".",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many lines an input has, how both runs ended, and the turns that differ."""

    name: str
    lines: int
    ends: tuple[str, str]
    differences: tuple[Difference, ...]


def compare_consoles(given: ConsoleInput) -> Outcome:
    """Run the input in both; where they differ, once more in the terminal, to see what that one does not repeat."""
    with _workplace() as base:
        terminal = _in_terminal(base, given)
        session = _in_session(base, given)
        unsteady: frozenset[int] = frozenset()
        if differing_lines(terminal, session):
            unsteady = frozenset(differing_lines(terminal, _in_terminal(base, given)))
    found = tuple(differences(given.name, terminal, session, unsteady))
    return Outcome(given.name, len(given.lines), (terminal.end, session.end), found)


def _in_terminal(base: Path, given: ConsoleInput) -> Transcript:
    with _fresh_folders(base, given) as environment, terminal_r(base / "run" / "work", environment) as terminal:
        return terminal.run(given.lines)


def _in_session(base: Path, given: ConsoleInput) -> Transcript:
    with _fresh_folders(base, given) as environment:
        return run_session(base / "run" / "work", environment, given.lines)


@contextlib.contextmanager
def _workplace() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="conformance-"))
    try:
        yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def _fresh_folders(base: Path, given: ConsoleInput) -> Iterator[dict[str, str]]:
    """An empty home and temporary folder, the input's files as working directory; the environment that names them."""
    run = base / "run"
    for name in ("home", "tmp"):
        (run / name).mkdir(parents=True)
    if given.files is None:
        (run / "work").mkdir()
    else:
        shutil.copytree(given.files, run / "work")
    try:
        yield {**_ENVIRONMENT, "HOME": str(run / "home"), "TMPDIR": str(run / "tmp")}
    finally:
        shutil.rmtree(run, ignore_errors=True)

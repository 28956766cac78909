"""An owner, two members, and a project."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver_acls.projects import ROOT, Shared, copy_program, make_folder, program_in
from tests.system.accounts import Account, account


@pytest.fixture(scope="module")
def owner() -> Iterator[Account]:
    with account("rsa") as made:
        yield made


@pytest.fixture(scope="module")
def alice() -> Iterator[Account]:
    with account("rsa") as made:
        yield made


@pytest.fixture(scope="module")
def eve() -> Iterator[Account]:
    with account("rsa") as made:
        yield made


@pytest.fixture(scope="session")
def python_program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The program without its compiled part."""
    root = tmp_path_factory.mktemp("python-walk") / "root"
    copy_program(root)
    return program_in(root)


@pytest.fixture
def program(request: pytest.FixtureRequest, python_program: list[str]) -> list[str]:
    """`compiled` unless a test asks for `python`."""
    return python_program if getattr(request, "param", "compiled") == "python" else program_in(ROOT)


@pytest.fixture
def shared(tmp_path: Path, program: list[str]) -> Iterator[Shared]:
    """A small project of a new account each time."""
    with account("rsa") as made:
        yield Shared(made, make_folder(made), tmp_path / "acls", program)

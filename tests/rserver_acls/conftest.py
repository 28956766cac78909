"""An owner, two members, and a project."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver_acls.projects import Shared, make_folder
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


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    """A small project of a new account each time."""
    with account("rsa") as made:
        yield Shared(made, make_folder(made), tmp_path / "acls")

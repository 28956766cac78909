"""Fixtures of the tests that run the whole server with real accounts, real PAM and a real R."""

from collections.abc import Iterator

import pytest

from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One server for all tests that leave it as they found it."""
    with running_server() as running:
        yield running


@pytest.fixture
def alice() -> Iterator[Account]:
    """A throw-away account."""
    with account() as made:
        yield made


@pytest.fixture
def bob() -> Iterator[Account]:
    """Another one."""
    with account() as made:
        yield made


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(server.port)

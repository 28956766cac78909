"""Fixtures of the library of the privileged programs."""

from collections.abc import Iterator

import pytest

from rserver_process.event_loop import Loop
from tests.system.accounts import Account, account


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that is closed afterwards."""
    made = Loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def user() -> Iterator[Account]:
    """A throw-away account."""
    with account("rsc") as made:
        yield made


@pytest.fixture(scope="module")
def stranger() -> Iterator[Account]:
    """Another one, who has no business with the first."""
    with account("rsc") as made:
        yield made

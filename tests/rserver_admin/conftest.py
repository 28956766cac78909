"""A server that the tests of the command may look at."""

from collections.abc import Iterator

import pytest

from tests.system.running_server import RunningServer, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One server for all tests that leave it as they found it."""
    with running_server() as running:
        yield running

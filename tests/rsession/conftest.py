"""Sessions for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.rsession.running import EventStream, RunningSession, ready


@pytest.fixture(scope="module")
def shared_session() -> Iterator[RunningSession]:
    """One session for tests that leave it at an empty prompt."""
    with RunningSession() as session:
        yield session


@pytest.fixture
def session(shared_session: RunningSession) -> RunningSession:
    """The shared session, with a new client."""
    return shared_session


@pytest.fixture
def stream(session: RunningSession) -> Iterator[EventStream]:
    """A listener of the shared session, which waits at its prompt."""
    stream = ready(session)
    yield stream
    stream.close()

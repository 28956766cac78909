"""A disk that is full before or while objects are written."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, store_of, suspend

pytestmark = [pytest.mark.r, pytest.mark.root]


@pytest.fixture(params=["lz4", "none"])
def session(request: pytest.FixtureRequest) -> Iterator[RunningSession]:
    """A session whose home is a small file system; without compression the lack of room is seen beforehand."""
    session = RunningSession([f"--session-workspace-compression={request.param}"])
    session.home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(session.home)], check=True)
    try:
        with session:
            try:
                yield session
            finally:
                session._bury()
                subprocess.run(["umount", str(session.home)], check=True)
    finally:
        if Path(session.home).is_mount():
            subprocess.run(["umount", str(session.home)], check=False)


def test_the_old_state_survives_and_the_session_goes_on(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); old <- rnorm(1e6)")
    session.call("checkpoint_session")
    before = sorted(path.name for path in store_of(session).iterdir())
    evaluate(session, stream, "more <- rnorm(3e6)")
    answer = session.rpc("suspend_session")
    assert answer["error"]["code"] == 1003
    assert "not enough room" in answer["error"]["message"]
    assert sorted(path.name for path in store_of(session).iterdir()) == before
    assert evaluate(session, stream, "length(more)") == "[1] 3000000\n"
    evaluate(session, stream, "rm(more)")
    suspend(session, stream)
    stream = restored(session)
    assert evaluate(session, stream, "set.seed(1); identical(old, rnorm(1e6))") == "[1] TRUE\n"

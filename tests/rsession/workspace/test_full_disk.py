"""A disk that is full before or while objects are written."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import messages, restored, store_of, suspend

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


def fill(folder: Path) -> None:
    """Leave no byte."""
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_the_old_state_survives_and_the_session_goes_on(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); old <- rnorm(1e6)")
    session.call("checkpoint_session")
    before = sorted(path.name for path in store_of(session).iterdir())
    evaluate(session, stream, "more <- rnorm(3e6)")
    answer = session.rpc("suspend_session")
    assert answer["error"]["code"] == 1003
    text = answer["error"]["message"]
    assert f"There is not enough room for the objects in {store_of(session)}: " in text
    assert re.search(r"[\d.]+ [KM]B are free on that disk", text)
    assert "Delete or move files there, or remove large objects." in text
    assert sorted(path.name for path in store_of(session).iterdir()) == before
    assert evaluate(session, stream, "length(more)") == "[1] 3000000\n"
    evaluate(session, stream, "rm(more)")
    suspend(session, stream)
    stream = restored(session)
    assert evaluate(session, stream, "set.seed(1); identical(old, rnorm(1e6))") == "[1] TRUE\n"


def test_a_session_that_begins_on_a_full_disk_says_that_it_keeps_nothing(session: RunningSession) -> None:
    stream = ready(session)
    session.type("q('no')")
    stream.wait_for_type("quit")
    fill(session.home)
    session.launch()
    session.init()
    stream = session.events(0)
    stream.wait_for_prompt()
    assert evaluate(session, stream, "1 + 1") == "[1] 2\n"
    assert any("the objects of this session cannot be saved" in text for text in messages(stream))


def test_stages_that_were_written_are_removed(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); old <- rnorm(1e6); Sys.setenv(RS_WORKSPACE_TRACKING = 'stages')")
    session.call("checkpoint_session")
    before = _room(session)
    evaluate(session, stream, "a <- rnorm(6e5); b <- rnorm(6e5); c <- rnorm(6e5); d <- rnorm(6e5)")
    assert session.rpc("checkpoint_session")["error"]["code"] == 1003
    assert abs(_room(session) - before) < 1 << 20
    evaluate(session, stream, "rm(a, b, d)")
    session.call("checkpoint_session")
    suspend(session, stream)
    stream = restored(session)
    assert evaluate(session, stream, "length(c); set.seed(1); identical(old, rnorm(1e6))") == "[1] 600000\n[1] TRUE\n"


def _room(session: RunningSession) -> int:
    disk = os.statvfs(session.home)
    return disk.f_bavail * disk.f_bsize


def test_an_image_that_does_not_fit_keeps_the_session_and_the_old_image(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "set.seed(1); x <- rnorm(1e5); save.image()")
    before = (session.home / ".RData").read_bytes()
    evaluate(session, stream, "y <- rnorm(4e6)")
    answer = session.rpc("quit_session", "yes")
    assert answer["error"]["code"] == 1003
    assert "not enough room" in answer["error"]["message"]
    assert (session.home / ".RData").read_bytes() == before
    assert sorted(path.name for path in session.home.glob(".RData*")) == [".RData"]
    assert evaluate(session, stream, "length(y)") == "[1] 4000000\n"


@pytest.mark.parametrize("compress", ["TRUE", "FALSE"])
def test_an_image_whose_last_bytes_do_not_fit_is_noticed(session: RunningSession, compress: str) -> None:
    stream = ready(session)
    evaluate(session, stream, f"x <- 1:10; options(save.image.defaults = list(compress = {compress}))")
    fill(session.home)
    answer = session.rpc("quit_session", "yes")
    assert answer["error"]["code"] == 1003
    assert not list(session.home.glob(".RData*"))
    (session.home / "ballast").unlink()
    assert session.call("quit_session", "yes") == {"ended": True}
    assert (session.home / ".RData").stat().st_size > 0

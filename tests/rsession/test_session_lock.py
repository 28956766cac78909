"""The lock of a session's state folder: older processes, other machines, damaged files."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsession.session_lock import STALE_SECONDS, SessionLock
from tests.rsession.running import RunningSession, evaluate, ready

pytestmark = pytest.mark.r


def lock_of(session: RunningSession) -> Path:
    return session.home / ".local/share/rstudio/sessions/active/session-def01234/lock_file"


def beside(session: RunningSession) -> RunningSession:
    """Another process of the same session, which the first knows nothing of."""
    return RunningSession(environment={"HOME": str(session.home)})


def said(session: RunningSession) -> str:
    return " ".join(message["text"] for message in session.start["messages"])


def foreign(**fields: Any) -> str:
    return json.dumps({"place": "another boot", "host": "elsewhere", "pid": 4711, "start": 1} | fields)


def test_older_process_keeps_its_objects_and_makes_room() -> None:
    with RunningSession() as old:
        evaluate(old, ready(old), "x <- 6 * 7")
        with beside(old) as new:
            stream = ready(new)
            assert f"pid {old.pid}" in said(new)
            assert "kept its objects" in said(new)
            assert old.process is not None
            assert old.process.wait(10) == 101
            assert evaluate(new, stream, "x") == "[1] 42\n"
            assert json.loads(lock_of(old).read_text())["pid"] == new.pid


def test_lock_is_gone_after_the_end_and_left_over_ones_do_not_matter() -> None:
    with RunningSession() as session:
        ready(session)
        os.kill(session.pid, signal.SIGKILL)
        session.launch()
        stream = ready(session)
        assert said(session) == ""
        session.type("q('no')")
        stream.wait_for_close()
        assert session.process is not None
        assert session.process.wait(10) == 0
        assert list(lock_of(session).parent.glob("*lock*")) == []


@pytest.mark.slow
def test_older_process_that_hangs_is_killed() -> None:
    with RunningSession() as old:
        ready(old)
        os.kill(old.pid, signal.SIGSTOP)
        with beside(old) as new:
            ready(new)
            assert "was killed" in said(new)
            assert old.process is not None
            assert old.process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize(
    "left",
    [
        lambda path: path.write_text(""),
        lambda path: path.write_text("[1]"),
        lambda path: path.write_text(foreign(pid="1; x")),
        lambda path: path.write_text(foreign(pid=-1)),
        lambda path: path.write_bytes(b"\xff" * 100_000),
        lambda path: path.symlink_to("/etc/passwd"),
        os.mkfifo,
    ],
    ids=["empty", "no object", "no number", "every process", "huge", "link", "fifo"],
)
def test_damaged_locks_hold_nobody_up(left: Callable[[Path], object]) -> None:
    with RunningSession() as session:
        ready(session)
        os.kill(session.pid, signal.SIGKILL)
        lock_of(session).unlink()
        left(lock_of(session))
        session.launch()
        ready(session)
        assert json.loads(lock_of(session).read_text())["pid"] == session.pid
    assert Path("/etc/passwd").exists()


@pytest.mark.parametrize("age", [1.0, STALE_SECONDS + 5])
def test_another_machine_holds_it_as_long_as_it_shows_signs_of_life(age: float) -> None:
    with RunningSession() as session:
        ready(session)
        os.kill(session.pid, signal.SIGKILL)
        lock_of(session).write_text(foreign())
        os.utime(lock_of(session), (time.time() - age,) * 2)
        session.launch()
        if age > STALE_SECONDS:
            ready(session)
            assert json.loads(lock_of(session).read_text())["pid"] == session.pid
        else:
            assert "runs on the machine elsewhere (process 4711" in session.stderr()
            assert session.process is not None
            assert session.process.returncode == os.EX_TEMPFAIL
            assert json.loads(lock_of(session).read_text())["host"] == "elsewhere"


@pytest.mark.root
def test_a_file_system_without_room_for_a_lock_is_no_other_process(tmp_path: Path) -> None:
    # Its root, the folder and the lock before it has its name; a name of its own needs one more.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=3", "tmpfs", str(tmp_path)], check=True)
    try:
        with pytest.raises(OSError, match="No space left"):
            SessionLock(str(tmp_path / "session")).take()
        assert list((tmp_path / "session").iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)

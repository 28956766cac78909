"""What /proc tells."""

import os
import signal
import subprocess

from rserver_process.process_table import is_alive, send_to_session, session_members, start_ticks


def test_start_ticks_tell_a_process_from_a_later_one() -> None:
    """None once it is gone; a name with brackets and spaces does not confuse."""
    own = start_ticks(os.getpid())
    assert own is not None
    assert own > 0
    assert is_alive(os.getpid(), own)
    assert not is_alive(os.getpid(), own + 1)
    assert not is_alive(0, own)
    assert not is_alive(-1, own)
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    assert start_ticks(child.pid) is None


def test_members_of_a_process_session() -> None:
    """Without the leader, in whatever group they are; signals reach them all."""
    script = "sleep 100 & sleep 100 & echo ready; wait"
    leader = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    leader.stdout.readline()
    assert len(session_members(leader.pid)) == 2
    assert send_to_session(leader.pid, 0)
    assert send_to_session(leader.pid, signal.SIGKILL)
    leader.wait(10)
    leader.stdout.close()
    assert not send_to_session(leader.pid, signal.SIGKILL)
    assert os.getpid() not in session_members(leader.pid)

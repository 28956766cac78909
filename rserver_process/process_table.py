"""What /proc tells of processes: when one started, and which belong to a process session."""

import contextlib
import os
import signal
from collections.abc import Callable
from functools import partial

from rserver_process import kernel_files

_STATE, _PARENT, _SESSION, _START_TICKS = 0, 1, 3, 19


def start_ticks(pid: int) -> int | None:
    """Clock ticks from boot to the start of that process, which tell a reused pid; None when it has ended."""
    fields = _stat(pid)
    return int(fields[_START_TICKS]) if fields else None


def is_alive(pid: int, ticks: int | None) -> bool:
    """True while the process of that number that started then runs or waits to be reaped."""
    return pid > 0 and ticks is not None and start_ticks(pid) == ticks


def session_members(leader: int) -> list[int]:
    """Pids of the living processes, besides the leader, in the process session (setsid) of that leader."""
    return [pid for pid in _all() if pid != leader and _belongs(pid, leader)]


def send_to_session(leader: int, number: int) -> bool:
    """Signal every member of leader's process session but leader itself; False when there is none."""
    members = session_members(leader)
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            _send_if(pid, number, partial(_belongs, pid, leader))
    return bool(members)


def kill_tree(pid: int) -> None:
    """Kill a process and all that descends from it, wherever that went.

    The programs of pam_exec, for instance, make a process session of their own.
    """
    tree = {pid: start_ticks(pid)}
    stats = {other: _stat(other) for other in _all()}
    grown = True
    while grown:
        new = {p: int(s[_START_TICKS]) for p, s in stats.items() if s and int(s[_PARENT]) in tree and p not in tree}
        tree.update(new)
        grown = bool(new)
    for member, ticks in tree.items():
        with contextlib.suppress(ProcessLookupError):
            _send_if(member, signal.SIGKILL, partial(is_alive, member, ticks))


def _send_if(pid: int, number: int, is_still_meant: Callable[[], bool]) -> None:
    pidfd = os.pidfd_open(pid)
    try:
        # The number may have passed to another process since it was listed; now that it is held it cannot.
        if is_still_meant():
            signal.pidfd_send_signal(pidfd, number)
    finally:
        os.close(pidfd)


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _belongs(pid: int, leader: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and int(fields[_SESSION]) == leader and fields[_STATE] not in "ZX"


def _stat(pid: int) -> list[str]:
    try:
        return kernel_files.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []

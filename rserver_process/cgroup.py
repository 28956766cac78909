"""A control group per session, so that nothing a session started outlives it; where none is to be had, none.

Three back ends: the unified hierarchy (version 2), one hierarchy of version 1, none. What is limited by version 1 has
a group of the same name in the hierarchy of each controller.
"""

import contextlib
import os
import re
import signal
import time
from typing import Protocol

from rserver_process import kernel_files
from rserver_process.cgroup_places import places
from rserver_process.clone import fork_into_directory

_KILL_LIMIT, _LOOK_AGAIN = 1.0, 0.01
_AT_THE_END = (("pids.max", "0"), ("cpu.max", "max"), ("cpu.cfs_quota_us", "-1"))
_OURS = re.compile(r"rserver-[0-9a-f]{21}-([0-9]+)", re.ASCII)


class Cgroup(Protocol):
    """The group of one session."""

    def join(self) -> None:
        """Put the calling process in; what it forks from then on is in too."""

    def fork(self) -> int:
        """Like os.fork, the child being in. Only for a process with one thread."""

    def kill(self) -> None:
        """End every process in the group."""

    def remove(self, patience: float = 1.0) -> None:
        """Remove the group once it is empty, within so many seconds."""


class NoCgroup:
    """The normal case on a machine that gives us no groups."""

    def join(self) -> None:
        """Nothing."""

    def fork(self) -> int:
        """os.fork."""
        return os.fork()

    def kill(self) -> None:
        """Nothing."""

    def remove(self, patience: float = 1.0) -> None:
        """Nothing."""


class HierarchyGroup:
    """A directory of a cgroup hierarchy."""

    def __init__(self, path: str) -> None:
        self._path = path

    def join(self) -> None:
        """Put the calling process in."""
        # A group is a comfort: a session that cannot have it runs without.
        with contextlib.suppress(OSError):
            kernel_files.write(os.path.join(self._path, "cgroup.procs"), "0")

    def fork(self) -> int:
        """The child is born in the group where the kernel can do that, else it joins."""
        pid = fork_into_directory(self._path)
        if pid is None:
            pid = os.fork()
            if pid == 0:
                self.join()
        return pid

    def kill(self) -> None:
        """End every process in the group, all at once where the kernel can (version 2 since Linux 5.14)."""
        try:
            kernel_files.write(os.path.join(self._path, "cgroup.kill"), "1")
        except OSError:
            self._kill_each()

    def let_end(self) -> None:
        """No more forks, and as much processor time as it takes to end: many processes need more than their share."""
        for file, value in _AT_THE_END:
            with contextlib.suppress(OSError):
                kernel_files.write(os.path.join(self._path, file), value)

    def remove(self, patience: float = 1.0) -> None:
        """Remove the group once the killed processes have left it, within so many seconds."""
        deadline = time.monotonic() + patience
        while not _removed(self._path) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)

    def _kill_each(self) -> None:
        deadline = time.monotonic() + _KILL_LIMIT
        while (pids := self._members()) and time.monotonic() < deadline:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_LOOK_AGAIN)

    def _members(self) -> list[int]:
        try:
            return [int(pid) for pid in kernel_files.read(os.path.join(self._path, "cgroup.procs")).split()]
        except OSError:
            return []


def create(session: str, keeper_pid: int) -> Cgroup:
    """A new group for a session; one that does nothing where there are no groups."""
    for parent in places().kill:
        path = os.path.join(parent, name(session, keeper_pid))
        with contextlib.suppress(OSError):
            os.mkdir(path, 0o755)
            return HierarchyGroup(path)
    return NoCgroup()


def clear(session: str, keeper_pid: int, patience: float) -> None:
    """Kill and remove the group of a session, waiting at most so many seconds for its processes to end."""
    paths = [os.path.join(parent, name(session, keeper_pid)) for parent in places().every]
    groups = [HierarchyGroup(path) for path in paths if os.path.isdir(path)]
    for group in groups:
        group.let_end()
    for group in groups:
        group.kill()
        group.remove(patience)


def sweep() -> None:
    """Remove empty groups whose keeper is gone: everything was killed at once, or took too long to end."""
    for parent in places().every:
        for entry in os.listdir(parent):
            match = _OURS.fullmatch(entry)
            if match and not os.path.exists(f"/proc/{match[1]}"):
                _removed(os.path.join(parent, entry))


def _removed(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def name(session: str, keeper_pid: int) -> str:
    """What the group of a session is called."""
    return f"rserver-{session}-{keeper_pid}"


def discover() -> None:
    """Find out now where groups can be made, so that what is forked from here knows."""
    places()

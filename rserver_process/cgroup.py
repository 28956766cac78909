"""A control group per session, so that nothing a session started outlives it; where none is to be had, none.

Three back ends: the unified hierarchy (version 2), one hierarchy of version 1, none. Below systemd only a delegated
group is used.
"""

import contextlib
import os
import re
import signal
import time
from functools import cache
from typing import Protocol

from rserver_process import kernel_files
from rserver_process.clone import fork_into_directory

_LEGACY = ("pids", "freezer")
_KILL_LIMIT, _LOOK_AGAIN = 1.0, 0.01
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
    for parent in _parents():
        path = os.path.join(parent, _name(session, keeper_pid))
        with contextlib.suppress(OSError):
            os.mkdir(path, 0o755)
            return HierarchyGroup(path)
    return NoCgroup()


def clear(session: str, keeper_pid: int, patience: float) -> None:
    """Kill and remove the group of a session, waiting at most so many seconds for its processes to end."""
    for parent in _parents():
        path = os.path.join(parent, _name(session, keeper_pid))
        if os.path.isdir(path):
            group = HierarchyGroup(path)
            group.kill()
            group.remove(patience)


def sweep() -> None:
    """Remove empty groups whose keeper is gone: everything was killed at once, or took too long to end."""
    for parent in _parents():
        for name in os.listdir(parent):
            match = _OURS.fullmatch(name)
            if match and not os.path.exists(f"/proc/{match[1]}"):
                _removed(os.path.join(parent, name))


def _removed(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _name(session: str, keeper_pid: int) -> str:
    return f"rserver-{session}-{keeper_pid}"


def discover() -> None:
    """Find out now where groups can be made, so that what is forked from here knows."""
    _parents()


@cache
def _parents() -> tuple[str, ...]:
    """Groups of this process below which it may make others, best first."""
    mounts = _mounts()
    kinds = {controller: "cgroup" if controller else "cgroup2" for controller in ("", *_LEGACY)}
    paths = (_parent(mounts, controller, kind) for controller, kind in kinds.items())
    return tuple(path for path in paths if path and _may_use(path))


def _parent(mounts: list[list[str]], controller: str, kind: str) -> str | None:
    for mount in mounts:
        if mount[2] == kind and (not controller or controller in mount[3].split(",")):
            own = _own_group(controller)
            return None if own is None else mount[1] + own.rstrip("/")
    return None


def _own_group(controller: str) -> str | None:
    for line in kernel_files.read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == controller or (controller and controller in controllers.split(",")):
            return path
    return None


def _mounts() -> list[list[str]]:
    return [line.split(" ") for line in kernel_files.read("/proc/self/mounts").splitlines()]


def _may_use(path: str) -> bool:
    if not os.access(path, os.W_OK):
        return False
    return not os.path.isdir("/run/systemd/system") or _is_delegated(path)


def _is_delegated(path: str) -> bool:
    names = os.listxattr(path)
    return "user.delegate" in names or "trusted.delegate" in names

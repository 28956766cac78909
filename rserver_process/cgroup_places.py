"""Where this server may make control groups, and which controllers hold limits there.

Below systemd only a delegated group is used. Version 2 gives controllers only to groups whose parent has no processes
of its own: the server moves its own into a group beside those of the sessions.
"""

import contextlib
import os
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from rserver_core.cgroup_paths import UNIFIED, Mount, group_path, mounts
from rserver_process import kernel_files

LIMITS = ("memory", "cpu", "pids")
_KILL = ("pids", "freezer")
_OWN_LEAF = "rserver-server"
_ROUNDS = 10


class Places(NamedTuple):
    """Groups of this process below which it may make others.

    kill  of them, those with which a whole session can be ended, best first
    unified  the one of version 2, if there is one, and the controllers that hold limits there
    legacy  of version 1, by controller
    """

    kill: tuple[str, ...]
    unified: str | None
    unified_controllers: frozenset[str]
    legacy: tuple[tuple[str, str], ...]

    @property
    def every(self) -> tuple[str, ...]:
        """All parents of groups."""
        return tuple(dict.fromkeys((*self.kill, *(path for _, path in self.legacy))))

    def legacy_of(self, controller: str) -> str | None:
        """Parent in the hierarchy of version 1 that has this controller."""
        return dict(self.legacy).get(controller)

    def describe(self) -> str:
        """For the log: what holds the limits of memory, processor time and processes."""
        return ", ".join(f"{_NAMES[controller]} {self._holder(controller)}" for controller in LIMITS)

    def _holder(self, controller: str) -> str:
        if controller in self.unified_controllers:
            return "by cgroup v2"
        if self.legacy_of(controller):
            return "by cgroup v1"
        return _WITHOUT[controller]


_NAMES = {"memory": "memory", "cpu": "processors", "pids": "processes"}
_WITHOUT = {
    "memory": "by rlimit, for each process by itself",
    "cpu": "not at all",
    "pids": "by rlimit, for all sessions of a user together",
}


@cache
def places() -> Places:
    """Found out once for a process and what is forked from it."""
    hierarchies, cgroup = mounts(_text("/proc/self/mountinfo")), _text("/proc/self/cgroup")
    unified = _usable(UNIFIED, hierarchies, cgroup)
    legacy = {name: path for name in (*LIMITS, *_KILL) if (path := _usable(name, hierarchies, cgroup))}
    kill = tuple(path for path in (unified, *map(legacy.get, _KILL)) if path)
    controllers = _enable(unified, LIMITS) if unified else frozenset[str]()
    return Places(kill, unified, controllers, tuple(legacy.items()))


def _text(path: str) -> str:
    """Empty on a kernel without control groups."""
    try:
        return kernel_files.read(path)
    except FileNotFoundError:
        return ""


def _usable(controller: str, hierarchies: tuple[Mount, ...], cgroup: str) -> str | None:
    path = group_path(controller, hierarchies, cgroup)
    if path is None:
        return None
    # An earlier server of ours has moved itself, or us, there.
    path = path.removesuffix(f"/{_OWN_LEAF}")
    return path if _may_use(path) else None


def _may_use(path: str) -> bool:
    if not os.access(path, os.W_OK):
        return False
    return not os.path.isdir("/run/systemd/system") or _is_delegated(path)


def _is_delegated(path: str) -> bool:
    names = os.listxattr(path)
    return "user.delegate" in names or "trusted.delegate" in names


def _enable(parent: str, wanted: Iterable[str]) -> frozenset[str]:
    """Those of the controllers that groups below parent have, or have from now on."""
    enabled: set[str] = set()
    with contextlib.suppress(OSError):
        available = set(kernel_files.read(f"{parent}/cgroup.controllers").split()).intersection(wanted)
        enabled = available.intersection(kernel_files.read(f"{parent}/cgroup.subtree_control").split())
        missing = available - enabled
        if missing and _has_no_processes(parent):
            enabled.update(controller for controller in missing if _hand_on(parent, controller))
    return frozenset(enabled)


def _hand_on(parent: str, controller: str) -> bool:
    """False where the kernel refuses: that of processor time while there are real-time processes, for instance."""
    try:
        kernel_files.write(f"{parent}/cgroup.subtree_control", f"+{controller}")
    except OSError:
        return False
    return True


def _has_no_processes(parent: str) -> bool:
    """True when there are none, moved away if need be: they are ours, or the group would not be.

    Controllers of processor time and processes could be given out in spite of them, but then the groups below could
    hold no process.
    """
    if not os.path.exists(f"{parent}/cgroup.type"):
        # The root of all groups is free to have both.
        return True
    for _ in range(_ROUNDS):
        pids = kernel_files.read(f"{parent}/cgroup.procs").split()
        if not pids:
            return True
        _move(pids, f"{parent}/{_OWN_LEAF}")
    return False


def _move(pids: list[str], group: str) -> None:
    os.makedirs(group, 0o755, exist_ok=True)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            kernel_files.write(f"{group}/cgroup.procs", pid)

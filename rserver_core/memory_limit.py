"""How much memory a process may have, and how much of it is in use: of its control group, or of itself.

Reads files of the kernel that every account may read, its own or those of another process.
"""

import os
import re
from dataclasses import dataclass

from rserver_core.cgroup_paths import UNIFIED, group_path, mounts

_NO_LIMIT = 1 << 62
"""Version 1 writes a number of this size for none."""
_MOST = 1 << 16
_DATA = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)
_ALONE = re.compile(r"rserver-[0-9a-f]{21}-[0-9]+", re.ASCII)
"""What launchers call the group of one session."""
_DATA_LIMIT = re.compile(r"^Max data size\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes. used: what cannot be given back by dropping copies of files; charged: with those."""

    used: int
    charged: int
    limit: int

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.used / self.limit


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The lowest limit that holds a process. group: directory of the control group that has it; "": an rlimit.

    own: the group in which the process is; unified: version 2.
    """

    pid: str
    limit: int
    group: str = ""
    own: str = ""
    unified: bool = False

    @property
    def is_shared(self) -> bool:
        """Others than the session and what it started count against it, as far as can be known."""
        return bool(self.group) and not _is_of_one_session(self.group)

    def use(self) -> MemoryUse:
        """Now; OSError or ValueError when that cannot be known."""
        if not self.group:
            found = _DATA.search(_read(f"/proc/{self.pid}/status"))
            used = int(found[1]) * 1024 if found else 0
            return MemoryUse(used, used, self.limit)
        charged = int(_read(f"{self.group}/{'memory.current' if self.unified else 'memory.usage_in_bytes'}"))
        return MemoryUse(max(0, charged - self._reclaimable()), charged, self.limit)

    def ended(self) -> int:
        """How many processes of the session the kernel ended for want of memory; 0 where that cannot be known."""
        if not _is_of_one_session(self.own):
            return 0
        name = "memory.events" if self.unified else "memory.oom_control"
        return _counters(f"{self.own}/{name}").get("oom_kill", 0)

    def _reclaimable(self) -> int:
        numbers = _counters(f"{self.group}/memory.stat")
        prefix = "" if self.unified else "total_"
        names = (f"{prefix}inactive_file", f"{prefix}active_file", "slab_reclaimable")
        return sum(numbers.get(name, 0) for name in names)


def _is_of_one_session(group: str) -> bool:
    return _ALONE.fullmatch(os.path.basename(group)) is not None


def limit_of(pid: int | None = None) -> MemoryLimit | None:
    """Of a process, this one by default. None: there is no limit, or it cannot be known."""
    who = "self" if pid is None else str(pid)
    try:
        return _of_groups(who) or _of_process(who)
    except (OSError, ValueError):
        return None


def _of_groups(who: str) -> MemoryLimit | None:
    cgroup = _read(f"/proc/{who}/cgroup")
    hierarchies = mounts(_read("/proc/self/mountinfo"))
    found = None
    for controller, name in (("memory", "memory.limit_in_bytes"), (UNIFIED, "memory.max")):
        own = group_path(controller, hierarchies, cgroup)
        point = next((mount.point for mount in hierarchies if controller in mount.controllers), "")
        if own is None:
            continue
        for group in _upwards(own, point):
            limit = _limit_in(f"{group}/{name}")
            if limit is not None and (found is None or limit < found.limit):
                found = MemoryLimit(who, limit, group, own, controller == UNIFIED)
    return found


def _upwards(group: str, top: str) -> list[str]:
    """The group and those it is in, up to the top of what is mounted."""
    groups = [group]
    while groups[-1] != top and groups[-1].startswith(f"{top}/"):
        groups.append(os.path.dirname(groups[-1]))
    return groups


def _limit_in(path: str) -> int | None:
    try:
        text = _read(path).strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < _NO_LIMIT else None


def _of_process(who: str) -> MemoryLimit | None:
    found = _DATA_LIMIT.search(_read(f"/proc/{who}/limits"))
    return MemoryLimit(who, int(found[1])) if found else None


def _counters(path: str) -> dict[str, int]:
    """A file of names and numbers; nothing where it is missing."""
    try:
        lines = _read(path).splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines)
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read(_MOST)

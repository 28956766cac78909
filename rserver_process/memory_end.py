"""Whether the kernel ended a session for want of memory, and what it was about.

The kernel's log says which process it ended and how much that used. Where the log is closed to us, the counters of the
session's group tell as much as they can.
"""

import contextlib
import os
import re
import time
from typing import Any, NamedTuple

from rserver_process import kernel_files
from rserver_process.cgroup_places import places

LIMIT, OUTER, MACHINE = "limit", "outer", "machine"
_LOG = "/dev/kmsg"
_MOST_RECORDS, _RECORD_BYTES = 100_000, 8192
_FRESH_SECONDS = 120.0
_KILLED = re.compile(
    r"\d+,\d+,(?P<micro>\d+),[^;]*;(?P<whose>Memory cgroup out|Out) of memory: Killed process (?P<pid>\d+) \(.{0,64}\) "
    r".*?anon-rss:(?P<anon>\d+)kB, file-rss:\d+kB, shmem-rss:(?P<shmem>\d+)kB"
)
_NEAR = 0.97
_NO_LIMIT = 1 << 62


class MemoryEnd(NamedTuple):
    """by: the session's own limit, one around this server (a container's, say), or the machine. Bytes; 0: unknown."""

    by: str
    used: int
    limit: int

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"by": self.by, "used": self.used, "limit": self.limit}

    @classmethod
    def from_json(cls, value: object) -> "MemoryEnd | None":
        """None for what is none."""
        if not isinstance(value, dict):
            return None
        by, used, limit = value.get("by"), value.get("used"), value.get("limit")
        if by in {LIMIT, OUTER, MACHINE} and isinstance(used, int) and isinstance(limit, int):
            return cls(str(by), used, limit)
        return None


class _Counts(NamedTuple):
    limit: int = 0
    peak: int = 0
    ended: int = 0

    @property
    def is_reached(self) -> bool:
        return self.limit > 0 and (not self.peak or self.peak >= self.limit * _NEAR)


def memory_end(group: str, pid: int) -> MemoryEnd | None:
    """Of a session's process that was killed and whose group, of that name, is still there; None: it was another's."""
    counts = _counts(group)
    try:
        killed = _kernels_words(pid)
    except OSError:
        return _by(counts, "Memory cgroup out", counts.peak) if counts.ended else None
    return _by(counts, killed["whose"], 1024 * (int(killed["anon"]) + int(killed["shmem"]))) if killed else None


def _by(counts: _Counts, whose: str, used: int) -> MemoryEnd:
    if whose == "Out":
        return MemoryEnd(MACHINE, used, counts.limit)
    if counts.is_reached:
        return MemoryEnd(LIMIT, max(used, counts.peak), counts.limit)
    return MemoryEnd(OUTER, used, 0)


def _kernels_words(pid: int) -> "re.Match[str] | None":
    """What the kernel's log says of the end of that process a moment ago; OSError when the log is closed to us."""
    fd = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _last(fd, pid)
    finally:
        os.close(fd)


def _last(fd: int, pid: int) -> "re.Match[str] | None":
    found, since = None, (time.monotonic() - _FRESH_SECONDS) * 1e6
    for _ in range(_MOST_RECORDS):
        try:
            match = _KILLED.match(os.read(fd, _RECORD_BYTES).decode("utf-8", "replace"))
        except BlockingIOError:
            break
        except BrokenPipeError:
            # Overwritten while it was read; the next one is there.
            continue
        if match and int(match["pid"]) == pid and int(match["micro"]) >= since:
            found = match
    return found


def _counts(group: str) -> _Counts:
    where = places()
    if "memory" in where.unified_controllers:
        path = f"{where.unified}/{group}"
        return _Counts(_number(f"{path}/memory.max"), _number(f"{path}/memory.peak"), _counter(f"{path}/memory.events"))
    path = f"{where.legacy_of('memory')}/{group}"
    peak = _number(f"{path}/memory.max_usage_in_bytes")
    return _Counts(_number(f"{path}/memory.limit_in_bytes"), peak, _counter(f"{path}/memory.oom_control"))


def _number(path: str) -> int:
    """0 for none."""
    with contextlib.suppress(OSError, ValueError):
        number = int(kernel_files.read(path))
        return number if number < _NO_LIMIT else 0
    return 0


def _counter(path: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        pairs = [line.split() for line in kernel_files.read(path).splitlines()]
        return next((int(pair[1]) for pair in pairs if pair[0] == "oom_kill"), 0)
    return 0

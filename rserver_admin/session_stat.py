"""What a session's process uses, as the kernel counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

from rserver_core.launch_wire import SessionRecord
from rserver_process.process_table import is_alive

_STATE, _CPU = 0, slice(11, 15)
_SHELLS = frozenset({"sh", "bash", "dash"})


@dataclass(frozen=True, slots=True)
class Usage:
    """cpu_seconds of the process and of the children it waited for; memory_bytes None when it cannot be read.

    memory_kind: "pss" (pages that it shares are divided by who shares them) or "rss".
    state: "starting" (its shell profiles run), "running", "stopped" (by a signal), "unattended" (its keeper is gone).
    """

    cpu_seconds: float
    memory_bytes: int | None
    memory_kind: str
    state: str


def usage_of(record: SessionRecord) -> Usage | None:
    """The usage of a session; None when it has just ended."""
    try:
        fields = Path(f"/proc/{record.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        ticks = sum(map(int, fields[_CPU]))
    except (OSError, ValueError):
        return None
    memory, kind = _memory(record.pid)
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), memory, kind, _state(record, fields[_STATE]))


def is_starting(record: SessionRecord) -> bool:
    """True while the shells before R run, which know nothing of our signals."""
    try:
        return Path(f"/proc/{record.pid}/exe").readlink().name in _SHELLS
    except OSError:
        return False


def is_stopped(record: SessionRecord) -> bool:
    """True while a signal keeps its process from running."""
    try:
        return Path(f"/proc/{record.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[_STATE] in "tT"
    except (OSError, IndexError):
        return False


def _state(record: SessionRecord, state: str) -> str:
    if state in "tT":
        return "stopped"
    if is_starting(record):
        return "starting"
    return "running" if is_alive(record.keeper_pid, record.keeper_start) else "unattended"


def _memory(pid: int) -> tuple[int | None, str]:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024, "pss"
    except (OSError, ValueError):
        pass
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE"), "rss"
    except (OSError, ValueError, IndexError):
        return None, "rss"

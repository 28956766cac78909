"""What sessions use of the machine: processor and memory of their processes, from /proc."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rserver.clock import Clock
from rserver.sessions.session import Session
from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads
from rserver_core.launch_wire import SessionRecord
from rserver_core.memory_limit import limit_of

FRESH_SECONDS = 2.0
STALE_SECONDS = 60.0
LIMIT_SECONDS = 1.0
_MOST_PROCESSES = 256
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """cpu_percent: of one processor, 100 is one that is busy all the time; None: not known.

    memory_limit_bytes: None: there is no limit, or it is not known.
    """

    cpu_percent: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Processor seconds used so far and bytes used now, seen at that many seconds after the start of the machine."""

    at: float
    cpu_seconds: float
    memory_bytes: int
    memory_limit_bytes: int | None = None


NONE = Usage()
Read = Callable[[int, int], "Sample | None"]


class UsageMeter:
    """Measures at most every FRESH_SECONDS, in a thread; read takes pid and the ticks at which it started."""

    def __init__(self, clock: Clock, threads: WorkerThreads, read: "Read | None" = None) -> None:
        self._clock, self._threads, self._read = clock, threads, read or read_tree
        self._known: dict[tuple[int, int], tuple[float, Sample | None, Usage]] = {}

    async def measure(self, sessions: Iterable[Session]) -> dict[str, Usage]:
        """By session id; sessions without a process use nothing and are left out."""
        records = [record for session in sessions if (record := session.status.record) is not None]
        stale = [record for record in records if not self._is_fresh(record)]
        if stale:
            await self._look(stale)
        return {record.session: self._known[key][2] for record in records if (key := _key(record)) in self._known}

    def _is_fresh(self, record: SessionRecord) -> bool:
        known = self._known.get(_key(record))
        return known is not None and self._clock.seconds() - known[0] < FRESH_SECONDS

    async def _look(self, records: list[SessionRecord]) -> None:
        try:
            samples = await self._threads.run_within(
                LIMIT_SECONDS, self._clock, lambda: [self._read(record.pid, record.pid_start) for record in records]
            )
        except (ThreadsBusy, ThreadTimeout):
            return
        now = self._clock.seconds()
        for record, sample in zip(records, samples, strict=True):
            before = self._known.get(_key(record))
            self._known[_key(record)] = (now, sample, _usage(before[1] if before else None, sample, record.pid_start))
        for key in [key for key, known in self._known.items() if now - known[0] > STALE_SECONDS]:
            del self._known[key]


def _key(record: SessionRecord) -> tuple[int, int]:
    return record.pid, record.pid_start


def _usage(before: Sample | None, sample: Sample | None, started_ticks: int) -> Usage:
    """Since the sample before, or since the process was started."""
    if sample is None:
        return NONE
    since, used = (before.at, before.cpu_seconds) if before else (started_ticks / _TICKS, 0.0)
    elapsed = sample.at - since
    percent = 100 * max(0.0, sample.cpu_seconds - used) / elapsed if elapsed > 0 else 0.0
    return Usage(round(percent, 1), sample.memory_bytes, sample.memory_limit_bytes)


def read_tree(pid: int, started: int) -> Sample | None:
    """A process and what descends from it; None when it is gone, another one by now, or hidden from us."""
    try:
        if _stat(pid)[19] != str(started):
            return None
        pids = list(_descendants(pid))
        ticks = sum(_ticks(each) for each in pids)
        memory = _resident(pid, 0) + sum(_resident(each, 1) for each in pids if each != pid)
    except OSError:
        return None
    charged, limit = _limited(pid)
    return Sample(time.clock_gettime(time.CLOCK_BOOTTIME), ticks / _TICKS, charged or memory, limit)


def _limited(pid: int) -> tuple[int | None, int | None]:
    """Bytes that count against the limit of the session alone, and the lowest limit that holds it."""
    limit = limit_of(pid)
    if limit is None or not limit.group:
        return None, limit.limit if limit else None
    try:
        return None if limit.is_shared else limit.use().used, limit.limit
    except (OSError, ValueError):
        return None, limit.limit


def _descendants(pid: int) -> Iterable[int]:
    waiting, seen = deque([pid]), 0
    while waiting and seen < _MOST_PROCESSES:
        seen += 1
        each = waiting.popleft()
        yield each
        waiting.extend(_children(each))


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")[:_MOST_PROCESSES]
        return [int(child) for task in tasks for child in _read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        return []


def _ticks(pid: int) -> int:
    """Of the process and of the children it waited for, so that nothing is lost when one ends."""
    try:
        return sum(map(int, _stat(pid)[11:15]))
    except OSError:
        return 0


def _resident(pid: int, unshared: int) -> int:
    """Bytes in memory; unshared=1: without those it shares with files and its parent's libraries."""
    try:
        fields = _read(f"/proc/{pid}/statm").split()
        return (int(fields[1]) - unshared * int(fields[2])) * _PAGE
    except OSError:
        return 0


def _stat(pid: int) -> list[str]:
    """The fields behind the name of the program: state first."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 16)

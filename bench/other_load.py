"""How much of the machine others used while something was measured."""

import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DISTURBED = 0.15
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds: by the clock, of all processors at work, and of those that worked for us."""

    clock: float
    busy: float
    ours: float

    @classmethod
    def now(cls) -> "Load":
        """Ours are this process and all that it started."""
        words = Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
        user, nice, system, _, _, irq, soft = map(int, words)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours = ended.ru_utime + ended.ru_stime + sum(map(cpu_seconds, _family(os.getpid())))
        return cls(time.monotonic(), (user + nice + system + irq + soft) / _TICKS, ours)

    def others_since(self, before: "Load") -> float:
        """Processors that others kept at work."""
        spent = (self.busy - before.busy) - (self.ours - before.ours)
        return spent / (self.clock - before.clock)


def cpu_seconds(pid: int) -> float:
    """Time of a process on a processor so far."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _family(pid: int) -> Iterator[int]:
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield from _family(int(child))

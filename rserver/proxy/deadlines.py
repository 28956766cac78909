"""Time limits of many connections with one timer, exact to one tick."""

import asyncio
from typing import Protocol


class Expiring(Protocol):
    """Something with a time limit."""

    def timed_out(self) -> None:
        """The limit passed; it is no longer set."""


class Deadlines:
    """At most one limit per item. The timer runs only while there is any."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_seconds: float = 1.0) -> None:
        self._loop = loop
        self._tick_seconds = tick_seconds
        self._due: dict[Expiring, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def set(self, item: Expiring, seconds: float) -> None:
        """Limit for item, instead of the one it had."""
        self._due[item] = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def clear(self, item: Expiring) -> None:
        """No limit for item."""
        self._due.pop(item, None)

    def stop(self) -> None:
        """Forget everything."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        expired = [item for item, due in self._due.items() if due <= now]
        for item in expired:
            del self._due[item]
        if self._due:
            self._timer = self._loop.call_later(self._tick_seconds, self._tick)
        for item in expired:
            item.timed_out()

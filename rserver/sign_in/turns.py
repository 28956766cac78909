"""A few at once: turns per key and in all, the rest waits in a bounded queue."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, fail, succeed


class TooMany(Exception):
    """The queue is full."""


@dataclass(slots=True)
class Turns:
    """Hands out turns. A key whose turns are taken does not hold up others who wait behind it."""

    per_key: int
    overall: int
    most_waiting: int
    most_waiting_per_key: int
    _taken: Counter[str] = field(default_factory=Counter)
    _waiting: "dict[Deferred[None], str]" = field(default_factory=dict)
    _waiting_by_key: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """A turn for the time of the block; TooMany when the queue is full."""
        await self._take(key)
        try:
            yield
        finally:
            self._give_back(key)

    def _take(self, key: str) -> "Deferred[None]":
        if self._has_free(key):
            self._taken[key] += 1
            return succeed(None)
        if len(self._waiting) >= self.most_waiting or self._waiting_by_key[key] >= self.most_waiting_per_key:
            return fail(TooMany(f"{len(self._waiting)} wait"))
        turn: Deferred[None] = Deferred()
        self._waiting[turn] = key
        self._waiting_by_key[key] += 1
        return turn

    def _give_back(self, key: str) -> None:
        _decrease(self._taken, key)
        for turn, waiting in self._waiting.items():
            if self._has_free(waiting):
                return self._start(turn, waiting)

    def _start(self, turn: "Deferred[None]", key: str) -> None:
        del self._waiting[turn]
        _decrease(self._waiting_by_key, key)
        self._taken[key] += 1
        turn.callback(None)

    def _has_free(self, key: str) -> bool:
        return self._taken[key] < self.per_key and self._taken.total() < self.overall


def _decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]

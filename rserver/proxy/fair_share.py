"""Fair shares of the loop: of each user a few requests begin in one turn of it, the others wait for the next turns.

Who has 500 connections would otherwise have 500 requests before every single one of somebody else.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable


class FairShare:
    """each: how many calls of one user begin in a turn. Who waits is one per connection, so the queue is bounded."""

    def __init__(self, loop: asyncio.AbstractEventLoop, each: int) -> None:
        self._loop, self._each = loop, each
        self._begun: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, deque[Callable[[], None]]] = {}
        self._planned = False

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def begin(self, user: Hashable, call: Callable[[], None]) -> None:
        """Make the call now or in one of the next turns, in the order in which this user's calls came."""
        if not self._planned:
            self._plan()
        begun = self._begun.get(user, 0)
        if begun < self._each and user not in self._waiting:
            self._begun[user] = begun + 1
            call()
        else:
            self._waiting.setdefault(user, deque()).append(call)

    def _plan(self) -> None:
        self._planned = True
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._planned = False
        self._begun.clear()
        if not self._waiting:
            return
        self._plan()
        for user, calls in list(self._waiting.items()):
            now = [calls.popleft() for _ in range(min(self._each, len(calls)))]
            self._begun[user] = len(now)
            if not calls:
                del self._waiting[user]
            for call in now:
                # Each by itself, so that a mistake in one stops no other.
                self._loop.call_soon(call)

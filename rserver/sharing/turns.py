"""In which order changes of access run: one of each owner at a time, few in all, a bounded queue."""

from collections import deque

from twisted.internet.defer import Deferred, fail, succeed

MOST_RUNNING = 3
MOST_WAITING = 64
MOST_OF_ONE = 4


class TooMany(Exception):
    """The queue is full."""


class Turns:
    """Who has a turn ends it with `end`."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._waiting: deque[tuple[str, Deferred[None]]] = deque()

    def take(self, owner: str) -> "Deferred[None]":
        """Fires when it is this owner's turn; fails with TooMany. Cancelling it leaves the queue."""
        if self._is_free(owner):
            self._running.add(owner)
            return succeed(None)
        of_one = sum(waiting == owner for waiting, _ in self._waiting)
        if len(self._waiting) >= MOST_WAITING or of_one >= MOST_OF_ONE:
            return fail(TooMany())
        turn: Deferred[None] = Deferred(lambda _: self._waiting.remove((owner, turn)))
        self._waiting.append((owner, turn))
        return turn

    def end(self, owner: str) -> None:
        """Let the next one begin."""
        self._running.discard(owner)
        for owner_waiting, turn in list(self._waiting):
            if self._is_free(owner_waiting):
                self._waiting.remove((owner_waiting, turn))
                self._running.add(owner_waiting)
                turn.callback(None)

    def _is_free(self, owner: str) -> bool:
        return owner not in self._running and len(self._running) < MOST_RUNNING

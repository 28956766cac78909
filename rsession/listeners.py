"""Those who follow the event log: equals, each with its own place in it."""

import math
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from rsession.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

BATCH_BYTES = 256 << 10
POLL_SECONDS = 25.0
LAG_LIMIT = 4 << 20
PATIENCE_SECONDS = 10.0
POLL_GRACE_SECONDS = 5.0
"""So long after a poll its client is still taken for a listener."""


class Listener(Protocol):
    """One connected follower."""

    position: int
    """Number of the last event given to it."""

    def pump(self) -> None:
        """Take what is new from the log as far as the connection has room."""


class Listeners:
    """All followers of one log; tells when R must wait for them."""

    def __init__(self, log: EventLog, clock: "IReactorTime") -> None:
        self.log = log
        self.clock = clock
        self.ping_seconds = 0
        """How often lasting connections are pinged; 0: never."""
        self._listeners: list[Listener] = []
        self._polls: list[_Poll] = []
        self._last_poll = (0, -math.inf)
        """Position and time."""
        self._stuck_since: float | None = None
        self._stuck_at = 0
        self.on_progress: Callable[[], None] = lambda: None
        """Called when a listener took something or left: R may perhaps go on."""

    @property
    def has_any(self) -> bool:
        """Whether anyone follows over a lasting connection."""
        return bool(self._listeners)

    @property
    def is_followed(self) -> bool:
        """Whether anyone follows, also by asking again and again."""
        return bool(self._listeners or self._polls) or self.clock.seconds() - self._last_poll[1] < POLL_GRACE_SECONDS

    def add(self, listener: Listener) -> None:
        """Begin to follow, with what the log has already."""
        self._listeners.append(listener)
        listener.pump()

    def remove(self, listener: Listener) -> None:
        """Stop following; not an error for one that has left."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self.on_progress()

    def notify(self) -> None:
        """The log has grown."""
        for listener in tuple(self._listeners):
            listener.pump()
        polls, self._polls = self._polls, []
        for poll in polls:
            poll.answer()

    def poll(self, after: int) -> "Deferred[list[str]]":
        """Encoded events after a number as soon as there are any, none after 25 seconds."""
        self._last_poll = (after, self.clock.seconds())
        self.on_progress()
        poll = _Poll(self.log, after)
        if after != self.log.last_id:
            poll.answer()
        else:
            poll.timeout = self.clock.callLater(POLL_SECONDS, self._give_up, poll)
            self._polls.append(poll)
        return poll.answered

    def must_wait(self) -> bool:
        """Whether the fastest listener is so far behind that R should wait; gives up when it stands still too long."""
        fastest = max(self._positions(), default=None)
        if fastest is None or self.log.bytes_after(fastest) <= LAG_LIMIT:
            self._stuck_since = None
            return False
        now = self.clock.seconds()
        if self._stuck_since is None or fastest > self._stuck_at:
            self._stuck_since, self._stuck_at = now, fastest
        return now - self._stuck_since < PATIENCE_SECONDS

    def _positions(self) -> "Iterator[int]":
        yield from (listener.position for listener in self._listeners)
        position, polled = self._last_poll
        if self.clock.seconds() - polled < POLL_GRACE_SECONDS:
            yield position

    def _give_up(self, poll: "_Poll") -> None:
        if poll in self._polls:
            self._polls.remove(poll)
        poll.answer()


class _Poll:
    """One long poll; a future number is answered with nothing at once, its client must start anew."""

    def __init__(self, log: EventLog, after: int) -> None:
        self._log = log
        self._after = after
        self.answered: Deferred[list[str]] = Deferred(lambda _: self._cancel_timeout())
        self.timeout: IDelayedCall | None = None

    def answer(self) -> None:
        self._cancel_timeout()
        if not self.answered.called:
            self.answered.callback(self._log.read(self._after, BATCH_BYTES)[0])

    def _cancel_timeout(self) -> None:
        if self.timeout is not None and self.timeout.active():
            self.timeout.cancel()

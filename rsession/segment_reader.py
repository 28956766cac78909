"""Moves what R's thread queued to the reactor's thread: prompts at once, plain output a little at a time."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.abstract import FileDescriptor

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime

Segment = tuple[int, int, bytes, bytes]

TURN_BYTES = 256 << 10
"""Per turn of the reactor, so that a flood of output delays nobody."""
COALESCE_SECONDS = 0.02
FIRST_SECONDS = 0.002
"""For the first output after silence: R writes a line in several pieces, and mostly a prompt follows at once."""
RETRY_SECONDS = 0.5


class SegmentQueue(Protocol):
    """The part of the shim that gives segments."""

    def pending(self) -> tuple[int, int]: ...
    def drain(self, limit: int, /) -> tuple[list[Segment], int]: ...


class SegmentReader:
    """Reads the shim's queue when its event fd rings, unless the listeners ask R to wait."""

    def __init__(
        self,
        queue: SegmentQueue,
        clock: "IReactorTime",
        must_wait: Callable[[], bool],
        handle: Callable[[list[Segment]], None],
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._must_wait = must_wait
        self._handle = handle
        self._last = -math.inf
        self._timer: IDelayedCall | None = None

    def ring(self) -> None:
        """The event fd is readable."""
        _, urgent = self._queue.pending()
        if urgent:
            self.drain()
        elif self._timer is None:
            self._schedule(max(self._last + COALESCE_SECONDS - self._clock.seconds(), FIRST_SECONDS))

    def drain(self) -> None:
        """Handle one turn's worth."""
        self._schedule(None)
        if self._must_wait():
            self._schedule(RETRY_SECONDS)
            return
        self._last = self._clock.seconds()
        segments, left = self._queue.drain(TURN_BYTES)
        if left:
            self._schedule(0.0)
        if segments:
            self._handle(segments)

    def resume(self) -> None:
        """A listener has caught up: look again before the next try is due."""
        if self._timer is not None and self._timer.getTime() - self._clock.seconds() > COALESCE_SECONDS:
            self._schedule(0.0)

    def _schedule(self, delay: float | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if delay is None else self._clock.callLater(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.drain()


class ReadableDescriptor(FileDescriptor):
    """A descriptor that someone else reads."""

    def __init__(self, descriptor: int, reactor: "IReactorFDSet", on_readable: Callable[[], None]) -> None:
        super().__init__(reactor)
        self._descriptor = descriptor
        self._on_readable = on_readable

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def doRead(self) -> None:
        """Called by the reactor."""
        self._on_readable()

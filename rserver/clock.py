"""Time as it is handed to whoever needs it: the reactor, or twisted.internet.task.Clock in tests."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

_T = TypeVar("_T")

# A Deferred that stands for a future of asyncio fails with the latter.
_CANCELLED = (CancelledError, asyncio.CancelledError)


class Timer(Protocol):
    """A call that was put off."""

    def active(self) -> object:
        """True until it was made or cancelled."""

    def cancel(self) -> None:
        """Do not make it."""


class Clock(Protocol):
    """Monotonic seconds, and calls at a later time."""

    def seconds(self) -> float:
        """Seconds since some moment."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *args: object) -> Timer:
        """Call after delay seconds."""


def sleep(clock: Clock, seconds: float) -> "Deferred[None]":
    """Fires after that many seconds."""
    over: Deferred[None] = Deferred(lambda _: timer.cancel())
    timer = clock.callLater(max(0.0, seconds), over.callback, None)
    return over


def limit(waiting: "Deferred[_T]", seconds: float, clock: Clock, error: Exception) -> "Deferred[_T]":
    """waiting itself; it is cancelled and fails with error when it has not fired after that many seconds."""
    timed_out = False

    def give_up() -> None:
        nonlocal timed_out
        timed_out = True
        waiting.cancel()

    def settle(result: "_T | Failure") -> "_T | Failure":
        if timer.active():
            timer.cancel()
        if timed_out and isinstance(result, Failure) and isinstance(result.value, _CANCELLED):
            raise error
        return result

    timer = clock.callLater(seconds, give_up)
    waiting.addBoth(settle)
    return waiting


def shared(waiting: "Deferred[_T]") -> "Deferred[_T]":
    """Fires as waiting does; who cancels it leaves waiting alone."""
    copy: Deferred[_T] = Deferred()

    def settle(result: object) -> object:
        if copy.called:
            return result
        copy.callback(result)  # type: ignore[arg-type]
        return None

    waiting.addBoth(settle)
    return copy

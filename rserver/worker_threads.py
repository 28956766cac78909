"""Few threads for calls that may block: name service, database, audit file."""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from rserver.clock import Clock, limit

_T = TypeVar("_T")


class FromThread(Protocol):
    """The part of a reactor that takes calls from other threads."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002
        """Run callable on the reactor's thread."""


class ThreadsBusy(Exception):
    """Too many calls wait."""


class ThreadTimeout(Exception):
    """A call did not return in time; its thread goes on by itself."""


class WorkerThreads:
    """size daemon threads, a bounded queue. Daemons, because a name service that hangs must not keep the process."""

    def __init__(self, reactor: FromThread, name: str, size: int = 1, most_waiting: int = 256) -> None:
        self._reactor, self._name, self._size, self._most = reactor, name, size, most_waiting
        self._calls: deque[Callable[[], None]] = deque()
        self._changed = Condition()
        self._idle = self._threads = 0
        self._stopped = False

    def run(self, call: Callable[[], _T]) -> "Deferred[_T]":
        """What call returns; fails with what it raises, or with ThreadsBusy."""
        result: Deferred[_T] = Deferred()
        with self._changed:
            if self._stopped or len(self._calls) >= self._most:
                return fail(ThreadsBusy(f"{self._name}: {len(self._calls)} calls wait"))
            self._calls.append(lambda: self._perform(call, result))
            if self._idle < len(self._calls) and self._threads < self._size:
                self._threads += 1
                Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
            self._changed.notify()
        return result

    def run_within(self, seconds: float, clock: Clock, call: Callable[[], _T]) -> "Deferred[_T]":
        """As run, but fails with ThreadTimeout after that many seconds."""
        return limit(self.run(call), seconds, clock, ThreadTimeout(f"{self._name}: no answer in {seconds:g} s"))

    def stop(self) -> None:
        """Let the threads end when the queue is empty; take no more calls."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _serve(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._calls or self._stopped)
            self._idle -= 1
            return self._calls.popleft() if self._calls else None

    def _perform(self, call: Callable[[], _T], result: "Deferred[_T]") -> None:
        try:
            value = call()
        except Exception:
            self._reactor.callFromThread(_fire, result, Failure())
        else:
            self._reactor.callFromThread(_fire, result, value)


def _fire(result: "Deferred[Any]", value: object) -> None:
    if not result.called:
        result.callback(value)

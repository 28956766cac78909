"""A small single-threaded event loop over selectors: descriptors, timers, signals, ends of processes.

One process, one loop. Callbacks must not block; one that raises ends run() with that exception, so a programming
error shows itself instead of leaving half a server behind.
"""

import contextlib
import heapq
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from itertools import count

from rserver_process.signals import at_default

Callback = Callable[[], object]
ExitCallback = Callable[[int | None], None]


class Timer:
    """A call that is still to come; cancel() prevents it and may be used any number of times."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callback | None) -> None:
        self.when, self.callback = when, callback

    def cancel(self) -> None:
        """The call will not happen."""
        self.callback = None


class Watch:
    """The awaited end of one process. send() signals exactly this process, never a later one with its number."""

    def __init__(self, loop: "Loop", pid: int, callback: ExitCallback, reap: bool) -> None:
        self.pid = pid
        self._reaps = reap
        self._loop, self._callback = loop, callback
        self._pidfd = os.pidfd_open(pid)
        loop.add_reader(self._pidfd, self._ended)

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when the process has ended."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def cancel(self) -> None:
        """The callback will not be called; a child is then no longer reaped here."""
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _ended(self) -> None:
        self.cancel()
        self._callback(self._reap())

    def _reap(self) -> int | None:
        if not self._reaps:
            return None
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return None
        return status if pid == self.pid else None


class Loop:
    """The loop. Make it before threads and children; close() it, or abandon() it in a forked child."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._signals: dict[int, Callback] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.add_reader(self._wake_read, self._deliver_signals)
        self._former_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._running = False

    def add_reader(self, fd: int, callback: Callback) -> None:
        """Call back whenever fd can be read or its other end is gone; replaces an earlier reader of fd."""
        self._readers[fd] = callback
        self._select(fd)

    def remove_reader(self, fd: int) -> None:
        """Undo add_reader; before fd is closed. Unknown fds are ignored."""
        if self._readers.pop(fd, None):
            self._select(fd)

    def add_writer(self, fd: int, callback: Callback) -> None:
        """Call back whenever fd can be written or its other end is gone; replaces an earlier writer of fd."""
        self._writers[fd] = callback
        self._select(fd)

    def remove_writer(self, fd: int) -> None:
        """Undo add_writer; before fd is closed. Unknown fds are ignored."""
        if self._writers.pop(fd, None):
            self._select(fd)

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        """Call back once, after that many seconds."""
        timer = Timer(time.monotonic() + seconds, callback)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def call_soon(self, callback: Callback) -> Timer:
        """Call back once, in the next turn of the loop."""
        return self.call_later(0.0, callback)

    def on_signal(self, number: int, callback: Callback) -> None:
        """Call back, from the loop, when this process gets the signal."""
        self._signals[number] = callback
        signal.signal(number, lambda _number, _frame: None)
        # An interrupted call goes on; the loop itself is woken by the wake-up descriptor.
        signal.siginterrupt(number, False)

    def watch_process(self, pid: int, callback: ExitCallback, *, reap: bool = True) -> Watch:
        """Call back once that process has ended, with the wait status of a child or None for any other process.

        A child is reaped unless reap=False leaves that to the caller. ProcessLookupError when there is no such process.
        """
        return Watch(self, pid, callback, reap)

    def run(self) -> None:
        """Turn until stop()."""
        self._running = True
        while self._running:
            self.turn()

    def stop(self) -> None:
        """run() returns at the end of this turn."""
        self._running = False

    def turn(self, limit: float | None = None) -> None:
        """Wait for the next thing to happen, at most limit seconds (None: as long as it takes), and call back."""
        events = self._selector.select(self._until_next_timer(limit))
        for key, mask in events:
            for ready, callbacks in ((selectors.EVENT_READ, self._readers), (selectors.EVENT_WRITE, self._writers)):
                # A callback of the same turn may have removed this one.
                if mask & ready and (callback := callbacks.get(key.fd)):
                    callback()
        self._call_due_timers()

    def close(self) -> None:
        """Give back the loop's own descriptors and the signals; what others registered stays open."""
        self.abandon()
        signal.set_wakeup_fd(self._former_wakeup)

    def abandon(self) -> None:
        """close() for a forked child that goes its own way: the parent's loop is not disturbed."""
        signal.set_wakeup_fd(-1)
        at_default(self._signals)
        self._selector.close()
        for fd in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _select(self, fd: int) -> None:
        mask = (selectors.EVENT_READ if fd in self._readers else 0) | (
            selectors.EVENT_WRITE if fd in self._writers else 0
        )
        known = fd in self._selector.get_map()
        if mask and known:
            self._selector.modify(fd, mask)
        elif mask:
            self._selector.register(fd, mask)
        elif known:
            self._selector.unregister(fd)

    def _until_next_timer(self, limit: float | None) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return limit
        wait = max(0.0, self._timers[0][0] - time.monotonic())
        return wait if limit is None else min(wait, limit)

    def _call_due_timers(self) -> None:
        now = time.monotonic()
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            callback, timer.callback = timer.callback, None
            if callback:
                callback()

    def _deliver_signals(self) -> None:
        try:
            numbers: Iterable[int] = os.read(self._wake_read, 512)
        except BlockingIOError:
            return
        for number in dict.fromkeys(numbers):
            if callback := self._signals.get(number):
                callback()

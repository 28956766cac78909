"""Notices a child that lives and does nothing: it is asked again and again, and has to answer."""

from collections.abc import Callable

from rserver_process.event_loop import Loop, Timer

PING, PONG = {"event": "ping"}, {"event": "pong"}
EVERY_SECONDS = 8.0
# Questions are counted, not seconds: a machine that slept has missed one, however long it slept.
MOST_UNANSWERED = 3


class Heartbeat:
    """Calls ask every so many seconds, and silent once when the last MOST_UNANSWERED questions were not answered."""

    def __init__(self, loop: Loop, ask: Callable[[], None], silent: Callable[[], None], seconds: float) -> None:
        self._loop, self._ask, self._silent, self._seconds = loop, ask, silent, seconds
        self._unanswered = 0
        self._timer: Timer = loop.call_later(seconds, self._look)

    def answered(self) -> None:
        """It does something."""
        self._unanswered = 0

    def stop(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._unanswered >= MOST_UNANSWERED:
            self._silent()
            return
        self._unanswered += 1
        self._ask()
        self._timer = self._loop.call_later(self._seconds, self._look)

"""Warns when the memory that this session may have runs short, and tells when the kernel ended a child of R.

Where the kernel tells of it nobody looks; else, or where copies of files fill the group so that the kernel would tell
too early, this looks while R works, the more often the less is left. An idle session is left asleep.
"""

from typing import TYPE_CHECKING

from rserver_core.memory_limit import MemoryLimit, MemoryUse
from rserver_core.memory_shares import CALM_SHARE, WARN_SHARE
from rsession.limits import sentences

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.session import Session

_FILL_RATE = float(1 << 30)
"""Bytes a second, about as fast as R can fill memory."""
_SHORTEST, _LONGEST = 0.2, 2.0
_IDLE_SECONDS, _HALF = 30.0, 0.5


class MemoryWatch:
    """Emits `memory_warning`; is_told: the kernel says when the share of the warning is passed."""

    def __init__(self, session: "Session", limit: MemoryLimit, *, is_told: bool) -> None:
        self._session, self._limit, self._is_told = session, limit, is_told
        self._warning: str | None = None
        self._ended = limit.ended()
        self._timer: IDelayedCall | None = None
        session.on_input(lambda line, is_history: self._look_in(_SHORTEST))
        session.add_to_client_init("memory", self.state)

    def state(self) -> dict[str, object] | None:
        """For client_init: figures in bytes, and the warning that is shown now."""
        use = self._use()
        return None if use is None else {"used": use.used, "limit": use.limit, "warning": self._warning}

    def look(self) -> None:
        """Look now, and plan when to look again."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        use = self._use()
        if use is None:
            return
        self._tell_of_ended()
        self._warn(use)
        seconds = self._pause(use)
        if seconds is not None:
            self._look_in(seconds)

    def _use(self) -> MemoryUse | None:
        try:
            return self._limit.use()
        except (OSError, ValueError):
            return None

    def _look_in(self, seconds: float) -> None:
        """Or sooner, if that is planned."""
        clock = self._session.clock
        if self._timer is not None and self._timer.getTime() > clock.seconds() + seconds:
            self._timer.reset(seconds)
        elif self._timer is None:
            self._timer = clock.callLater(seconds, self.look)

    def _pause(self, use: MemoryUse) -> float | None:
        """Seconds until the next look; None: somebody will say when it is time."""
        if self._is_told and self._warning is None and use.charged < use.limit * WARN_SHARE:
            return None
        if not self._session.console.is_busy:
            return _IDLE_SECONDS if use.share > _HALF else None
        left = use.limit * WARN_SHARE - use.used
        return min(max(left / _FILL_RATE, _SHORTEST), _LONGEST) if left > 0 else _LONGEST

    def _warn(self, use: MemoryUse) -> None:
        if self._warning is None and use.share >= WARN_SHARE:
            self._warning = sentences.of_warning(self._limit, use)
        elif self._warning is not None and use.share < CALM_SHARE:
            self._warning = None
        else:
            return
        self._session.events.emit("memory_warning", {"used": use.used, "limit": use.limit, "text": self._warning})

    def _tell_of_ended(self) -> None:
        ended = self._limit.ended()
        if ended > self._ended:
            text = sentences.of_ended_child(self._limit)
            self._session.events.emit("show_message", {"kind": "warning", "text": text})
        self._ended = ended

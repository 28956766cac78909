"""Snapshots from time to time, so that a crash costs minutes of work instead of all."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rsession.workspace.snapshots import NotWritten, Snapshots
from rsession.workspace.suspension import Suspension

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.session import Session

_log = Logger()
_AGAIN_SECONDS = 10.0
"""R was busy when a checkpoint was due."""
_LONGEST_SHARE = 20.0
"""A checkpoint that took long is followed by a pause of this many times its length."""


class Checkpoints:
    """Begins when something was typed since the last one and R waits at its prompt."""

    def __init__(self, session: "Session", snapshots: Snapshots, suspension: Suspension, seconds: float) -> None:
        self._session = session
        self._snapshots = snapshots
        self._suspension = suspension
        self._seconds = seconds
        self._is_due = False
        self._timer: IDelayedCall | None = None
        self._complaint = ""
        if seconds > 0:
            session.on_input(lambda line, is_history: self._schedule(self._seconds))

    async def take(self) -> dict[str, object]:
        """One now; raises NotWritten."""
        begun = self._session.clock.seconds()
        done = await self._snapshots.checkpoint()
        self._session.events.emit("checkpoint_saved", done)
        self._session.tell_saved(float(str(done["created"])))
        took = self._session.clock.seconds() - begun
        self._seconds = max(self._seconds, took * _LONGEST_SHARE) if self._seconds > 0 else 0.0
        return done

    def _schedule(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._session.clock.callLater(seconds, self._run)

    def _run(self) -> None:
        self._timer = None
        if self._session.has_ended or self._suspension.is_running:
            return
        if not self._session.console.is_idle_at_top or not self._snapshots.is_open:
            self._schedule(_AGAIN_SECONDS)
            return
        Deferred.fromCoroutine(self._take_quietly())

    async def _take_quietly(self) -> None:
        try:
            await self.take()
            self._complaint = ""
        except NotWritten as error:
            self._complain(str(error))
            self._schedule(self._seconds)

    def _complain(self, text: str) -> None:
        if text != self._complaint and not self._session.has_ended:
            _log.warn("no checkpoint was written: {reason}", reason=text)
            message = f"Your objects are not protected against a crash at the moment. {text}"
            self._session.events.emit("show_message", {"kind": "warning", "text": message})
        self._complaint = text

"""Suspends sessions that nobody uses."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.clock import Clock
from rserver.sessions import causes
from rserver.sessions.control import SessionControl
from rserver.sessions.machine import State
from rserver.sessions.session import Session

LOOK_SECONDS = 20.0

_log = Logger()


def is_idle(session: Session, now: float, timeout_seconds: float) -> bool:
    """It runs, nothing is carried to it, and nothing was for that long; nor was it asked to suspend meanwhile.

    One that did not want to, say because R was working, is asked again when as much time has passed.
    """
    if session.state is not State.RUNNING or session.connections > 0 or timeout_seconds <= 0:
        return False
    return now - max(session.last_used, session.idle_asked) >= timeout_seconds


@dataclass(slots=True)
class IdleWatch:
    """timeout_minutes: option session-timeout-minutes, 0 is never; now: seconds since 1970."""

    clock: Clock
    control: SessionControl
    now: Callable[[], float]
    timeout_minutes: int = 0

    def begin(self) -> None:
        """Look now and then, from now on."""
        self.look()
        self.clock.callLater(LOOK_SECONDS, self.begin)

    def look(self) -> None:
        """Ask every idle session to suspend itself; it decides whether it can."""
        now = self.now()
        for session in self.control.table:
            if is_idle(session, now, self.timeout_minutes * 60.0):
                session.idle_asked = now
                note = causes.of_disuse(self.timeout_minutes)
                asked = Deferred.fromCoroutine(self.control.suspend(session, force=False, note=note))
                asked.addErrback(_not_asked, session)


def _not_asked(failure: object, session: Session) -> None:
    _log.warn("session {id} not suspended: {why}", id=session.id, why=str(getattr(failure, "value", failure)))

"""Looks from time to time whether the session is to end because nobody uses it, and tells its pages before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import RpcError
from rsession.timeouts import policy
from rsession.timeouts.policy import Action, End, Limits, Seen
from rsession.workspace.blockers import Blocker

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.session import Session
    from rsession.workspace.suspension import Suspension

EXIT_KILLED = 103
"""Exit code of a session that was killed because nobody used it."""
LOOK_SECONDS = 30.0
BLOCKED_LOOK_SECONDS = 10.0
RETRY_SECONDS = 300.0
"""Until objects that could not be written are tried again."""
_UNUSED = "Nobody uses this session."
_SOONEST_SECONDS = 0.02

_log = Logger()


@dataclass(frozen=True)
class Phase:
    """What the pages show. `at`: moment of the end, of the session's clock."""

    name: str
    action: str | None = None
    at: float | None = None
    text: str = ""
    blockers: tuple[Blocker, ...] = ()


ACTIVE = Phase("active")


class Timeouts:
    """Begins with `begin`; the clock of the session must not jump."""

    def __init__(self, session: "Session", suspension: "Suspension", limits: Limits) -> None:
        self._session = session
        self._suspension = suspension
        self._limits = limits
        self._touched = self._worked = session.clock.seconds()
        self._left: float | None = self._touched
        self._phase = ACTIVE
        self._timer: IDelayedCall | None = None
        self._is_trying = False
        self._is_refused = False
        """Somebody wanted a suspension, and something stands against it since."""
        self._blockers: tuple[Blocker, ...] = ()
        self._failure: tuple[Blocker, ...] = ()
        self._retry_at = -math.inf
        session.on_prompt(self._has_worked)
        suspension.on_change.append(self._look)
        suspension.on_refusal.append(self._refused)

    def begin(self) -> None:
        """Look from now on."""
        self._look()

    def touch(self) -> None:
        """Somebody uses the session."""
        self._touched = self._session.clock.seconds()
        if self._phase is not ACTIVE:
            self._look_in(0.0)

    def state(self) -> dict[str, object]:
        """For pages: `{"phase","action","seconds","text","blockers"}`."""
        phase = self._phase
        left = None if phase.at is None else max(0, round(phase.at - self._session.clock.seconds()))
        blockers = [blocker.as_json() for blocker in phase.blockers]
        return {
            "phase": phase.name,
            "action": phase.action,
            "seconds": left,
            "text": phase.text,
            "blockers": blockers,
        }

    async def status(self) -> dict[str, object]:
        """For the server and its administrator: `{"idle","busy","blockers","timeouts"}`; idle in seconds."""
        seen = self._see()
        standing = [] if self._suspension.is_running else await self._suspension.blockers()
        if standing and self._phase.name == "warned" and not self._session.has_ended:
            # It came up since the warning: one answer does not announce an end and what stands against it.
            self._blockers = tuple(standing)
            self._show(self._phase_now(*self._ends()))
            self._look_in(min(BLOCKED_LOOK_SECONDS, self._pause(*self._ends())))
        return {
            "idle": round(seen.now - max(seen.touched, seen.worked), 1),
            "busy": self._session.console.is_busy,
            "blockers": [blocker.as_json() for blocker in standing],
            "timeouts": self.state(),
        }

    def _has_worked(self) -> None:
        self._worked = self._session.clock.seconds()

    def _refused(self, standing: Sequence[Blocker]) -> None:
        self._blockers = tuple(standing)
        if not self._is_trying:
            self._is_refused = True
            self._look_in(0.0)

    def _see(self) -> Seen:
        now = self._session.clock.seconds()
        if self._session.console.is_busy:
            self._worked = now
        if self._session.listeners.is_followed:
            self._left = None
        elif self._left is None:
            self._left = now
        return Seen(now, self._touched, self._worked, self._left)

    def _ends(self) -> tuple[Seen, End | None, End | None]:
        seen = self._see()
        return seen, policy.idle_end(self._limits, seen), policy.kill(self._limits, seen)

    def _due(self) -> End | None:
        """The end that may be tried at this moment."""
        seen, idle_end, _ = self._ends()
        return idle_end if idle_end is not None and seen.now >= idle_end.at else None

    def _look(self) -> None:
        if self._session.has_ended:
            return
        seen, idle_end, kill = self._ends()
        if kill is not None and seen.now >= kill.at:
            self._kill(kill)
            return
        # Nobody is told of an end that will not come.
        is_near = idle_end is not None and seen.now >= idle_end.warn_at
        if not is_near and not self._is_refused:
            self._blockers = ()
        elif not self._is_trying and not self._suspension.is_running:
            self._is_trying = True
            Deferred.fromCoroutine(self._attempt()).addErrback(_complain)
        phase = self._phase_now(seen, idle_end, kill)
        # Before the first warning it is found out whether something stands against it.
        is_new = self._phase is ACTIVE and phase.name == "warned" and phase.action is not Action.KILL
        if not (is_new and self._is_trying):
            self._show(phase)
        self._look_in(self._pause(seen, idle_end, kill))

    async def _attempt(self) -> None:
        """Find out what stands against a suspension; where nothing does and it is time, end."""
        try:
            standing = tuple(await self._suspension.blockers())
            self._is_refused = self._is_refused and bool(standing)
            self._blockers = standing + (self._failure if self._session.clock.seconds() < self._retry_at else ())
            end = self._due()
            if end is not None and not self._blockers:
                await self._end(end)
        finally:
            self._is_trying = False
            if not self._session.has_ended:
                self._show(self._phase_now(*self._ends()))
                self._look_in(min(BLOCKED_LOOK_SECONDS, self._pause(*self._ends())))

    async def _end(self, end: End) -> None:
        if end.action is Action.QUIT:
            self._session.ending.last_word = end.reason
            self._session.process.end(save=False, is_busy=False)
            return
        try:
            await self._suspension.suspend(False, end.reason)
        except RpcError as error:
            self._retry_at = self._session.clock.seconds() + RETRY_SECONDS
            self._blockers = self._failure = (Blocker("storage", error.message),)

    def _kill(self, end: End) -> None:
        _log.warn("nobody used the session for long: it is killed")
        self._session.leave(EXIT_KILLED, end.reason)

    def _phase_now(self, seen: Seen, idle_end: End | None, kill: End | None) -> Phase:
        if self._suspension.is_writing:
            return Phase("suspending", Action.SUSPEND)
        if kill is not None and seen.now >= kill.warn_at:
            return Phase("warned", Action.KILL, kill.at, kill.rule, self._blockers)
        if self._blockers:
            return Phase("blocked", None, None, _why(seen, idle_end), self._blockers)
        if idle_end is not None and seen.now >= idle_end.warn_at:
            return Phase("warned", idle_end.action, idle_end.at, idle_end.rule)
        return ACTIVE

    def _show(self, phase: Phase) -> None:
        if phase != self._phase:
            self._phase = phase
            self._session.events.emit("session_timeouts", self.state())

    def _pause(self, seen: Seen, *ends: End | None) -> float:
        moments = [moment for end in ends if end is not None for moment in (end.warn_at, end.at)]
        coming = [moment - seen.now for moment in moments if moment > seen.now]
        if self._is_refused or self._blockers or self._is_trying:
            coming.append(BLOCKED_LOOK_SECONDS)
        return min([*coming, LOOK_SECONDS])

    def _look_in(self, seconds: float) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._session.clock.callLater(max(seconds, _SOONEST_SECONDS), self._look)


def _why(seen: Seen, idle_end: End | None) -> str:
    if idle_end is None or seen.now < idle_end.warn_at:
        return ""
    return _UNUSED if seen.now < idle_end.at else idle_end.reason


def _complain(failure: Failure) -> None:
    _log.failure("the session could not be ended", failure)

"""Suspending: everything is written, then the process ends with exit code 101."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.workspace import blockers
from rsession.workspace.blockers import Blocker
from rsession.workspace.snapshots import NotWritten, Snapshots

if TYPE_CHECKING:
    from rsession.session import Session

_log = Logger()
_REFUSAL = "the session is being suspended"
_PROMPT_SECONDS = 20.0
"""A forced suspension interrupts R and waits this long for its prompt."""
EXIT_SUSPENDED = 101


class Suspension:
    """At most one at a time."""

    def __init__(self, session: "Session", snapshots: Snapshots) -> None:
        self._session = session
        self._snapshots = snapshots
        self.is_running = False
        self._prompt: Deferred[None] | None = None
        session.on_prompt(self._prompted)

    async def suspend(self, is_forced: bool) -> dict[str, object]:
        """Answer `{"suspended", "blockers"}`; the process ends soon after `suspended` is true.

        Raises RpcError NOT_WRITABLE when the objects could not be written: the session goes on.
        """
        if self.is_running:
            raise RpcError(ErrorCode.UNAVAILABLE, _REFUSAL)
        self.is_running = True
        try:
            return await self._suspend(is_forced)
        except NotWritten as error:
            self._tell_failure(str(error))
            raise RpcError(ErrorCode.NOT_WRITABLE, str(error)) from error
        finally:
            self.is_running = False

    def wanted_by_signal(self, is_forced: bool) -> None:
        """SIGUSR1 (polite) or SIGUSR2."""
        if not self.is_running:
            Deferred.fromCoroutine(self.suspend(is_forced)).addErrback(_complain)

    async def _suspend(self, is_forced: bool) -> dict[str, object]:
        standing = blockers.at_the_console(self._session)
        if standing and not is_forced:
            return self._blocked(standing)
        self._session.input_refusal = _REFUSAL
        try:
            await self._reach_prompt(bool(standing))
            if not is_forced:
                standing = await blockers.of_r(self._session)
                if standing:
                    return self._blocked(standing)
            self._session.events.emit("session_suspending", {"forced": is_forced})
            answer = await self._snapshots.suspend(is_forced)
            if answer["blocked"]:
                return self._blocked(blockers.pointers(answer["lost"]))
            self._session.events.emit("session_suspended", {**(self._snapshots.last or {}), "lost": answer["lost"]})
            return {"suspended": True, "blockers": []}
        finally:
            if not self._session.has_ended:
                self._session.input_refusal = None

    async def _reach_prompt(self, must_interrupt: bool) -> None:
        if must_interrupt:
            self._prompt = Deferred()
            self._session.console.interrupt()
            self._prompt.addTimeout(_PROMPT_SECONDS, self._session.clock)
            try:
                await self._prompt
            except TooLate:
                raise NotWritten("R does not stop what it is doing: the session cannot be suspended now.") from None
            finally:
                self._prompt = None

    def _prompted(self) -> None:
        if self._prompt is not None and not self._prompt.called:
            self._prompt.callback(None)

    def _blocked(self, standing: list[Blocker]) -> dict[str, object]:
        reasons = [blocker.as_json() for blocker in standing]
        self._session.events.emit("suspend_blocked", {"blockers": reasons})
        return {"suspended": False, "blockers": reasons}

    def _tell_failure(self, text: str) -> None:
        self._session.events.emit("suspend_failed", {"text": text})
        self._session.events.emit("show_message", {"kind": "error", "text": f"The session was not suspended. {text}"})


def _complain(failure: Failure) -> None:
    _log.warn("the session was not suspended: {reason}", reason=failure.getErrorMessage())

"""Suspending: everything is written, then the process ends with exit code 101."""

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.workspace import blockers
from rsession.workspace.blockers import Blocker, BlockerRules
from rsession.workspace.snapshots import NotWritten, Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Write = Callable[[], Coroutine[Any, Any, dict[str, object]]]

    from rsession.session import Session

_log = Logger()
_REFUSAL = "The session is being suspended."
_PROMPT_SECONDS = 20.0
"""A forced suspension interrupts R and waits this long for its prompt."""
_BY_SIGNAL = "Somebody sent it a signal to do so."
_BY_SIGTERM = "It was told to end (SIGTERM), as when a machine is shut down."
_AGAIN_SECONDS = 0.5
"""Until another suspension is looked at again, which may be refused."""
_ANSWER_SECONDS = 0.5
"""R answers small questions at once, or it is not at its prompt."""
EXIT_SUSPENDED = 101
EXIT_RESTARTED = 102


class Suspension:
    """At most one at a time."""

    def __init__(self, session: "Session", snapshots: Snapshots, rules: BlockerRules) -> None:
        self._session = session
        self._snapshots = snapshots
        self._rules = rules
        self.is_running = False
        self.is_writing = False
        """The process ends when it is done: what stood against it was looked at."""
        self.on_change: list[Callable[[], None]] = []
        self.on_refusal: list[Callable[[list[Blocker]], None]] = []
        """Called with what stood against a suspension that somebody wanted."""
        self._said_by_r: list[Blocker] = []
        """Holds when R is too slow to answer again."""
        self._prompt: Deferred[None] | None = None
        session.on_prompt(self._prompted)

    async def suspend(
        self, is_forced: bool, reason: str = "", status: int = EXIT_SUSPENDED, *, heeds_r: bool = True
    ) -> dict[str, object]:
        """Answer `{"suspended", "blockers"}`; the process ends with `status` soon after `suspended` is true.

        `reason` is told to its user. Without heeds_r only what R does at the console stands against it.

        Raises RpcError NOT_WRITABLE when the objects could not be written: the session goes on.
        """
        if self.is_running:
            raise RpcError(ErrorCode.UNAVAILABLE, _REFUSAL)
        if not self._snapshots.is_open:
            raise RpcError(ErrorCode.UNAVAILABLE, "The objects of this session cannot be kept.")
        self.is_running = True
        try:
            return await self._suspend(
                is_forced, heeds_r, lambda: self._write(is_forced or not heeds_r, reason, status)
            )
        except NotWritten as error:
            self._session.ending.last_word = ""
            self._tell_failure(str(error))
            raise RpcError(ErrorCode.NOT_WRITABLE, str(error)) from error
        finally:
            self.is_running = False
            self._set_writing(False)

    async def leave(self, is_forced: bool, status: int) -> dict[str, object]:
        """As suspend, and nothing is written but what the console shows."""
        if self.is_running:
            raise RpcError(ErrorCode.UNAVAILABLE, _REFUSAL)
        self.is_running = True
        try:
            return await self._suspend(is_forced, False, lambda: self._end_without_objects(status))
        except NotWritten as error:
            raise RpcError(ErrorCode.NOT_WRITABLE, str(error)) from error
        finally:
            self.is_running = False

    async def _end_without_objects(self, status: int) -> dict[str, object]:
        await self._snapshots.leave(status)
        return {"suspended": True, "blockers": []}

    def wanted_by_signal(self, is_forced: bool) -> None:
        """SIGUSR1 (polite) or SIGUSR2."""
        Deferred.fromCoroutine(self._by_signal(is_forced)).addErrback(_complain)

    async def _by_signal(self, is_forced: bool) -> None:
        # It may come while R starts: before the store is open nothing can be kept.
        if await self._snapshots.when_open() and not self.is_running:
            await self.suspend(is_forced, _BY_SIGNAL)

    def told_to_end(self) -> None:
        """SIGTERM: everything is kept if that can be done; R ends either way."""
        if self.is_running and not self._session.has_ended:
            self._session.clock.callLater(_AGAIN_SECONDS, self.told_to_end)
        elif not self._session.has_ended:
            Deferred.fromCoroutine(self._and_end()).addErrback(_complain)

    async def _and_end(self) -> None:
        is_kept = False
        try:
            if await self._snapshots.when_open():
                is_kept = bool((await self.suspend(True, _BY_SIGTERM))["suspended"])
        finally:
            if not is_kept:
                os.kill(os.getpid(), signal.SIGTERM)

    async def blockers(self) -> list[Blocker]:
        """What stands against a suspension at this moment, without trying one."""
        standing = blockers.at_the_console(self._session.console, self._rules)
        if not standing and self._snapshots.is_open and self._session.input_refusal is None:
            asked = Deferred.fromCoroutine(self._of_r()).addTimeout(_ANSWER_SECONDS, self._session.clock)
            with suppress(TooLate, CancelledError, RpcError):
                self._said_by_r = await asked
            standing = self._said_by_r
        return standing + blockers.of_processes(self._rules)

    async def _of_r(self) -> list[Blocker]:
        jobs, rules = self._session.jobs, self._rules
        known = self._snapshots.pointers if rules.pointers else []
        failed = await blockers.of_known_failures(jobs, self._snapshots.failed)
        return [*await blockers.of_r(jobs, rules), *await blockers.of_known_pointers(jobs, known), *failed]

    async def _suspend(self, is_forced: bool, heeds_r: bool, write: "Write") -> dict[str, object]:
        console = self._session.console
        standing = blockers.at_the_console(console, self._rules)
        if standing and not is_forced:
            return self._blocked(standing)
        self._session.input_refusal = _REFUSAL
        is_leaving = False
        try:
            await self._reach_prompt(bool(standing) or blockers.is_incomplete(console))
            if heeds_r and not is_forced:
                standing = [
                    *await blockers.of_r(self._session.jobs, self._rules),
                    *blockers.of_processes(self._rules),
                ]
                if standing:
                    return self._blocked(standing)
            answer = await write()
            is_leaving = bool(answer["suspended"])
            return answer
        finally:
            # R says a moment later that it is gone: a line that came in between would be lost.
            if not is_leaving and not self._session.has_ended:
                self._session.input_refusal = None

    async def _write(self, is_forced: bool, reason: str, status: int) -> dict[str, object]:
        self._session.events.emit("session_suspending", {"forced": is_forced})
        self._set_writing(True)
        self._session.ending.last_word = reason
        answer = await self._snapshots.suspend(not is_forced, self._rules.pointers and not is_forced, status)
        if answer["blocked"]:
            self._session.ending.last_word = ""
            found = blockers.pointers(self._snapshots.pointers if self._rules.pointers else [])
            return self._blocked(found + blockers.failed(self._snapshots.failed))
        self._session.events.emit("session_suspended", {**(self._snapshots.last or {}), "lost": answer["lost"]})
        return {"suspended": True, "blockers": []}

    def _set_writing(self, is_writing: bool) -> None:
        if is_writing != self.is_writing and not self._session.has_ended:
            self.is_writing = is_writing
            for callback in self.on_change:
                callback()

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
        for callback in self.on_refusal:
            callback(standing)
        return {"suspended": False, "blockers": reasons}

    def _tell_failure(self, text: str) -> None:
        self._session.events.emit("suspend_failed", {"text": text})
        self._session.events.emit("show_message", {"kind": "error", "text": f"The session was not suspended. {text}"})


def _complain(failure: Failure) -> None:
    _log.warn("the session was not suspended: {reason}", reason=failure.getErrorMessage())

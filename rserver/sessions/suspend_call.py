"""Asks a session's socket to suspend the session, so that it can say what stands against it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from rserver.sessions.probe import NoAnswer
from rserver.sessions.session_call import call_session
from rserver_core.launch_wire import SessionRecord

_MOST_REASONS, _MOST_CHARACTERS = 10, 500


@dataclass(frozen=True, slots=True)
class SuspendAnswer:
    """suspended: the process ends in a moment; otherwise it goes on, for these reasons (sentences).

    blocked: the reasons are what stands against it, and may go; otherwise its objects could not be written.
    """

    suspended: bool
    reasons: tuple[str, ...] = ()
    blocked: bool = True


class SocketSuspend:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord, force: bool) -> "Deferred[SuspendAnswer]":
        """Fires with the session's answer, which comes when everything is written; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record, force), loop=self._loop()))

    async def _ask(self, record: SessionRecord, force: bool) -> SuspendAnswer:
        return read_answer(await call_session(self._loop(), record, "suspend_session", [force]))


def read_answer(value: Any) -> SuspendAnswer:
    """From the JSON of the answer; NoAnswer when it is none to this question."""
    try:
        if "error" in value:
            return SuspendAnswer(False, sentences([value["error"]["message"]]), blocked=False)
        result = value["result"]
        reasons = [blocker["reason"] for blocker in result["blockers"]]
        return SuspendAnswer(result["suspended"] is True, sentences(reasons))
    except (LookupError, TypeError):
        raise NoAnswer(f"answered {str(value)[:40]!r}") from None


def sentences(reasons: Sequence[object]) -> tuple[str, ...]:
    """As many as are shown, each bounded."""
    return tuple(str(reason)[:_MOST_CHARACTERS] for reason in reasons[:_MOST_REASONS])

"""Asks a session's socket to quit R, so that it can say what stands against it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from rserver.sessions.probe import NoAnswer
from rserver.sessions.session_call import call_session
from rserver_core.launch_wire import SessionRecord

_MOST_CHARACTERS = 1000
_GOES_ON = "R was asked to end and goes on."


@dataclass(frozen=True, slots=True)
class QuitAnswer:
    """ended: the process ends in a moment. image: its user wants to be asked whether to save to this file.

    reason: why R goes on, a sentence.
    """

    ended: bool
    image: str = ""
    reason: str = ""


class SocketQuit:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord, save: str) -> "Deferred[QuitAnswer]":
        """Fires with the session's answer, which comes when .RData is written; fails with OSError.

        save is yes, no or default: as the user has set it.
        """
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record, save), loop=self._loop()))

    async def _ask(self, record: SessionRecord, save: str) -> QuitAnswer:
        return read_answer(await call_session(self._loop(), record, "quit_session", [save]))


def read_answer(value: Any) -> QuitAnswer:
    """From the JSON of the answer; NoAnswer when it is none to this question."""
    try:
        if "error" in value:
            return QuitAnswer(False, reason=str(value["error"]["message"])[:_MOST_CHARACTERS])
        result = value["result"]
        image = str(result["question"]["image"])[:_MOST_CHARACTERS] if "question" in result else ""
        reason = "" if result["ended"] or image else str(result.get("reason", _GOES_ON))[:_MOST_CHARACTERS]
        return QuitAnswer(result["ended"] is True, image, reason)
    except (LookupError, TypeError, AttributeError):
        raise NoAnswer(f"answered {str(value)[:40]!r}") from None

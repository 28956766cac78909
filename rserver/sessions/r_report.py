"""What a session that answers says of its R: the version that runs, and which of the list that is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.clock import Clock, limit
from rserver.sessions.probe import NoAnswer
from rserver.sessions.session import Session
from rserver.sessions.session_call import call_session
from rserver_core.launch_wire import SessionRecord
from rserver_core.r_version import MOST_CHARACTERS

_MOST_NOTE = 1000
_SECONDS = 30.0

_log = Logger()


@dataclass(frozen=True, slots=True)
class RReport:
    """key: as an RWish; note: why it is not the wanted one, a sentence."""

    version: str
    key: str
    note: str


AskForR = Callable[[SessionRecord], "Deferred[RReport]"]


@dataclass(slots=True)
class RReader:
    """Asks every session that answers, and writes into the table what it says. changed: told which session."""

    clock: Clock
    ask: AskForR
    changed: Callable[[Session], object]

    def look(self, session: Session, record: SessionRecord) -> None:
        """The process of that record answers."""
        Deferred.fromCoroutine(self._look(session, record)).addErrback(_not_told, session)

    async def _look(self, session: Session, record: SessionRecord) -> None:
        late = TimeoutError("no answer")
        report = await limit(self.ask(record), _SECONDS, self.clock, late)
        if session.status.record is record:
            session.r_version, session.r_key, session.r_note = report.version, report.key, report.note
            self.changed(session)


def _not_told(failure: object, session: Session) -> None:
    _log.warn("session {id} does not tell its R: {why}", id=session.id, why=str(getattr(failure, "value", failure)))


class SocketRReport:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord) -> "Deferred[RReport]":
        """Fires with the session's report; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record), loop=self._loop()))

    async def _ask(self, record: SessionRecord) -> RReport:
        return read_report(await call_session(self._loop(), record, "get_r_version"))


def read_report(answer: Any) -> RReport:
    """From the JSON of the answer; NoAnswer when it is none to this question. A session is not trusted."""
    try:
        version, key, note = (_text(answer["result"][name]) for name in ("version", "key", "note"))
    except (LookupError, TypeError):
        raise NoAnswer(f"answered {str(answer)[:40]!r}") from None
    return RReport(version[:40], key if len(key) <= MOST_CHARACTERS else "", note[:_MOST_NOTE])


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError
    return value

"""Where a session's project really lies: its user may name the folder by several links, which we cannot follow."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.clock import Clock, limit
from rserver.sessions.probe import NoAnswer
from rserver.sessions.projects import ProjectTable
from rserver.sessions.session import Session
from rserver.sessions.session_call import call_session
from rserver_core.launch_wire import SessionRecord
from rserver_core.project_path import MOST_BYTES

_SECONDS = 30.0

_log = Logger()

AskForFolder = Callable[[SessionRecord], "Deferred[str]"]


@dataclass(slots=True)
class ProjectReader:
    """Asks every session with a project that answers, and notes what it says."""

    clock: Clock
    ask: AskForFolder
    projects: ProjectTable

    def look(self, session: Session, record: SessionRecord) -> None:
        """The process of that record answers."""
        if session.project:
            Deferred.fromCoroutine(self._look(session, record)).addErrback(_not_told, session)

    async def _look(self, session: Session, record: SessionRecord) -> None:
        folder = await limit(self.ask(record), _SECONDS, self.clock, TimeoutError("no answer"))
        self.projects.lies_in(session.user, session.uid, session.project, folder)


def _not_told(failure: object, session: Session) -> None:
    _log.info(
        "session {id} does not tell its folder: {why}", id=session.id, why=str(getattr(failure, "value", failure))
    )


class SocketProjectReport:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord) -> "Deferred[str]":
        """Fires with the folder, without links in its path; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record), loop=self._loop()))

    async def _ask(self, record: SessionRecord) -> str:
        return read_folder(await call_session(self._loop(), record, "get_project_folder"))


def read_folder(answer: Any) -> str:
    """From the JSON of the answer; NoAnswer when it is none to this question. A session is not trusted."""
    try:
        folder = answer["result"]["folder"]
    except (LookupError, TypeError):
        folder = None
    if not isinstance(folder, str) or not folder.startswith("/") or not folder.isprintable():
        raise NoAnswer(f"answered {str(answer)[:40]!r}")
    if len(folder.encode()) > MOST_BYTES:
        raise NoAnswer("answered a path that is too long")
    return folder

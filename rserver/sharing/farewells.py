"""Tells sessions of people who are members no more to close the project while they still may touch it."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from rserver.clock import Clock, limit
from rserver.sessions.session import Session
from rserver.sessions.table import SessionTable
from rserver_core.launch_wire import SessionRecord

ANSWER_SECONDS = 5.0
_MOST_SESSIONS = 256
_MOST_REMEMBERED = 2000

AskToLeave = Callable[[SessionRecord, str], "Deferred[None]"]
FolderOf = Callable[[Session], str]

_log = Logger()


@dataclass(slots=True)
class Farewells:
    """ask: tells one session who withdrew the project. folder_of: where the project of a session lies."""

    clock: Clock
    table: SessionTable
    ask: AskToLeave
    folder_of: FolderOf
    _by: "OrderedDict[tuple[str, str], str]" = field(default_factory=OrderedDict)

    def who(self, user: str, folder: str) -> str:
        """Who took the project in that folder away from this user lately; empty when that is not known."""
        return self._by.get((user, folder), "")

    async def say(self, users: Iterable[str], folder: str, by: str) -> None:
        """Wait until their sessions have closed the project, or some seconds."""
        leaving = set(users)
        for user in leaving:
            self._remember(user, folder, by)
        there = [each for each in self.table if each.user in leaving and self.folder_of(each) == folder]
        for session in there:
            session.withdrawn = f"{by} does not share it with you any more." if by != session.user else ""
        running = [each for each in there if each.target is not None][:_MOST_SESSIONS]
        await gatherResults([Deferred.fromCoroutine(self._one(each, by)) for each in running])

    async def _one(self, session: Session, by: str) -> None:
        record = session.status.record
        if record is None:
            return
        try:
            late = TimeoutError("no answer")
            await limit(self.ask(record, by), ANSWER_SECONDS, self.clock, late)
        except OSError as error:
            # It may be busy, hang or be its user's own program; its rights end all the same.
            _log.info("session {id} does not leave its project: {why}", id=session.id, why=str(error))
            return
        session.project = ""
        self.table.changed(session)

    def _remember(self, user: str, folder: str, by: str) -> None:
        self._by.pop((user, folder), None)
        self._by[user, folder] = by
        if len(self._by) > _MOST_REMEMBERED:
            self._by.popitem(last=False)

"""Takes what changed in the tables to the store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.logger import Logger

from rserver.sessions.leftovers import SETTING
from rserver.sessions.projects import ProjectTable
from rserver.sessions.table import SessionTable
from rserver.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

_log = Logger()

_T = TypeVar("_T")


@dataclass(slots=True)
class SessionSaver:
    """What cannot be written is logged; the sessions themselves do not depend on it."""

    table: SessionTable
    projects: ProjectTable
    store: Store

    async def save(self) -> None:
        """Done when what changed so far is in the store."""
        # All are asked for at once: the store may be about to close.
        waiting = [
            _put(self.store.put_sessions, self.table.take_changed()),
            _put(self.store.drop_sessions, self.table.take_forgotten()),
            *(self.store.put_setting(*account, SETTING, ids) for account, ids in self.table.leftovers.take_changed()),
            _put(self.store.put_projects, self.projects.take_changed()),
            _put(self.store.drop_projects, self.projects.take_forgotten()),
        ]
        try:
            await gatherResults(waiting, consumeErrors=True)
        except Exception as error:
            _log.error("sessions not stored: {error}", error=str(error))

    def save_soon(self) -> None:
        """As save, without waiting for it."""
        Deferred.fromCoroutine(self.save())


def _put(write: "Callable[[list[_T]], Deferred[None]]", items: list[_T]) -> "Deferred[None]":
    return write(items) if items else succeed(None)

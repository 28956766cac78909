"""Takes what changed in the table to the store."""

from dataclasses import dataclass

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.logger import Logger

from rserver.sessions.table import SessionTable
from rserver.store.store import Store

_log = Logger()


@dataclass(slots=True)
class SessionSaver:
    """What cannot be written is logged; the sessions themselves do not depend on it."""

    table: SessionTable
    store: Store

    async def save(self) -> None:
        """Done when what changed so far is in the store."""
        changed, forgotten = self.table.take_changed(), self.table.take_forgotten()
        # Both are asked for at once: the store may be about to close.
        written = self.store.put_sessions(changed) if changed else succeed(None)
        dropped = self.store.drop_sessions(forgotten) if forgotten else succeed(None)
        try:
            await gatherResults([written, dropped], consumeErrors=True)
        except Exception as error:
            _log.error("sessions not stored: {error}", error=str(error))

    def save_soon(self) -> None:
        """As save, without waiting for it."""
        Deferred.fromCoroutine(self.save())

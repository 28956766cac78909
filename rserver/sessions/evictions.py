"""Ends the sessions of accounts that are gone: their files and their uid may be somebody else's by now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.clock import Clock
from rserver.master_client import MasterError
from rserver.sessions.control import SessionControl
from rserver.sessions.session import Session
from rserver.sign_in.standing import Account, Standing, Standings

WATCH_SECONDS = 10.0

_log = Logger()


@dataclass(slots=True)
class Evictions:
    """on_gone is told once of each account that had sessions and is gone."""

    clock: Clock
    standings: Standings
    control: SessionControl
    on_gone: Callable[[Account, Standing], Awaitable[None]]
    _told: set[Account] = field(default_factory=set, init=False)

    def keep_watching(self) -> None:
        """Look now and then."""
        Deferred.fromCoroutine(self.look()).addErrback(_not_looked).addBoth(
            lambda _: self.clock.callLater(WATCH_SECONDS, self.keep_watching)
        )

    async def look(self) -> None:
        """Ask for every account with a session that runs; end those of accounts that are gone."""
        running: dict[Account, list[Session]] = {}
        for session in self.control.table:
            if session.is_alive:
                running.setdefault((session.user, session.uid), []).append(session)
        self._told &= running.keys()
        await self.standings.look(running)
        for account, sessions in running.items():
            if (standing := self.standings.gone(*account)) is not None:
                await self._evict(account, standing, sessions)

    async def _evict(self, account: Account, standing: Standing, sessions: list[Session]) -> None:
        for session in sessions:
            _log.warn("session {id}: {why} It is ended.", id=session.id, why=standing.problem)
            try:
                await self.control.evict(session, f"{standing.problem} The server ended its session.")
            except MasterError as error:
                _log.error("session {id} not ended: {why}", id=session.id, why=error.message)
        if account not in self._told:
            self._told.add(account)
            await self.on_gone(account, standing)


def _not_looked(failure: object) -> None:
    _log.error("accounts of running sessions not looked at: {why!r}", why=getattr(failure, "value", failure))

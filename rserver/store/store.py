"""The store on its own thread: the reactor never waits for the disk."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from rserver.store import refresh_tokens, rows
from rserver.store.schema import open_database

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_P = ParamSpec("_P")
_T = TypeVar("_T")

FILE_NAME = "rserver.sqlite"


class Worker(Protocol):
    """Runs calls one after the other elsewhere."""

    def run(self, call: Callable[[], _T]) -> "Deferred[_T]":
        """The result of call."""

    def stop(self) -> None:
        """Take no more calls."""


class Store:
    """Sessions' metadata and revocations. Every method answers by a Deferred; failures are sqlite3.Error."""

    def __init__(self, worker: Worker, connection: sqlite3.Connection) -> None:
        self._worker, self._connection = worker, connection

    @classmethod
    async def open(cls, worker: Worker, directory: str) -> "Store":
        """The store in a directory that exists."""
        path = str(Path(directory, FILE_NAME))
        return cls(worker, await worker.run(lambda: open_database(path)))

    def sessions(self) -> "Deferred[list[rows.SessionRow]]":
        """Every session, the one used last first."""
        return self._run(rows.all_sessions)

    def put_sessions(self, changed: Iterable[rows.SessionRow]) -> "Deferred[None]":
        """Write these sessions."""
        return self._run(rows.put_sessions, list(changed))

    def drop_sessions(self, ids: Iterable[str]) -> "Deferred[None]":
        """Forget these sessions."""
        return self._run(rows.drop_sessions, list(ids))

    def projects(self) -> "Deferred[list[rows.ProjectRow]]":
        """Every project, the one opened last first."""
        return self._run(rows.all_projects)

    def put_projects(self, changed: Iterable[rows.ProjectRow]) -> "Deferred[None]":
        """Write these projects."""
        return self._run(rows.put_projects, list(changed))

    def drop_projects(self, forgotten: Iterable[rows.ProjectRow]) -> "Deferred[None]":
        """Forget these projects."""
        return self._run(rows.drop_projects, list(forgotten))

    def settings(self, name: str) -> "Deferred[dict[tuple[str, int], str]]":
        """What users chose under that name, by user and uid."""
        return self._run(rows.all_settings, name)

    def put_setting(self, user: str, uid: int, name: str, value: str) -> "Deferred[None]":
        """Write what a user chose; an empty value forgets it."""
        return self._run(rows.put_setting, user, uid, name, value)

    def revocations(self) -> "Deferred[dict[str, int]]":
        """Stamps by user."""
        return self._run(rows.all_revocations)

    def put_revocation(self, user: str, stamp: int) -> "Deferred[None]":
        """Write the stamp of one user."""
        return self._run(rows.put_revocation, user, stamp)

    def drop_old_revocations(self, before: int) -> "Deferred[None]":
        """Forget stamps older than any cookie."""
        return self._run(rows.drop_old_revocations, before)

    def put_token(self, row: refresh_tokens.TokenRow, now: int) -> "Deferred[None]":
        """See `refresh_tokens`."""
        return self._run(refresh_tokens.put_token, row, now)

    def take_token(self, digest: bytes, now: int) -> "Deferred[refresh_tokens.TokenRow | None]":
        """See `refresh_tokens`."""
        return self._run(refresh_tokens.take_token, digest, now)

    def void_pair(self, pair: str, until: int, now: int) -> "Deferred[None]":
        """See `refresh_tokens`."""
        return self._run(refresh_tokens.void_pair, pair, until, now)

    def void_pairs(self) -> "Deferred[list[str]]":
        """See `refresh_tokens`."""
        return self._run(refresh_tokens.void_pairs)

    def close(self) -> "Deferred[None]":
        """Finish what was begun and close."""
        closed = self._run(sqlite3.Connection.close)
        self._worker.stop()
        return closed

    def _run(
        self, query: Callable[Concatenate[sqlite3.Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> "Deferred[_T]":
        return self._worker.run(lambda: query(self._connection, *args, **kwargs))

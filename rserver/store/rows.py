"""The store's queries: plain functions given a connection, values in and out."""

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Metadata of one session; times in seconds since 1970, status as the sessions' own text.

    door: which kind of clients it was made for; empty: browsers, else `remote`.
    """

    id: str
    user: str
    uid: int
    label: str = ""
    project: str = ""
    r_version: str = ""
    created: float = 0.0
    last_used: float = 0.0
    status: str = ""
    r_wish: str = ""
    r_key: str = ""
    door: str = ""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A folder that somebody opened as a project; opened: when last, in seconds since 1970, 0: not on the list.

    real: the same folder without links in its path, as the last session there said; empty: not known.
    """

    user: str
    uid: int
    id: str
    path: str
    opened: float = 0.0
    real: str = ""


_COLUMNS = ", ".join(field.name for field in fields(SessionRow))
_MARKS = ", ".join("?" for _ in fields(SessionRow))


def all_sessions(connection: sqlite3.Connection) -> list[SessionRow]:
    """Every session, the one used last first."""
    return [SessionRow(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM session ORDER BY last_used DESC")]


def put_sessions(connection: sqlite3.Connection, rows: Iterable[SessionRow]) -> None:
    """Write rows, new ones and known ones, in one transaction."""
    with _Transaction(connection):
        connection.executemany(f"REPLACE INTO session ({_COLUMNS}) VALUES ({_MARKS})", [astuple(row) for row in rows])


def drop_sessions(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Forget sessions, in one transaction."""
    with _Transaction(connection):
        connection.executemany("DELETE FROM session WHERE id = ?", [(session_id,) for session_id in ids])


def all_projects(connection: sqlite3.Connection) -> list[ProjectRow]:
    """Every project, the one opened last first."""
    columns = "user, uid, id, path, opened, real"
    return [ProjectRow(*row) for row in connection.execute(f"SELECT {columns} FROM project ORDER BY opened DESC")]


def put_projects(connection: sqlite3.Connection, rows: Iterable[ProjectRow]) -> None:
    """Write rows, new ones and known ones, in one transaction."""
    with _Transaction(connection):
        connection.executemany("REPLACE INTO project VALUES (?, ?, ?, ?, ?, ?)", [astuple(row) for row in rows])


def drop_projects(connection: sqlite3.Connection, rows: Iterable[ProjectRow]) -> None:
    """Forget projects, in one transaction."""
    with _Transaction(connection):
        keys = [(row.user, row.uid, row.id) for row in rows]
        connection.executemany("DELETE FROM project WHERE user = ? AND uid = ? AND id = ?", keys)


def all_settings(connection: sqlite3.Connection, name: str) -> dict[tuple[str, int], str]:
    """What users chose, by user and uid."""
    rows = connection.execute("SELECT user, uid, value FROM user_setting WHERE name = ?", (name,))
    return {(user, uid): value for user, uid, value in rows}


def put_setting(connection: sqlite3.Connection, user: str, uid: int, name: str, value: str) -> None:
    """Write what a user chose; an empty value forgets it."""
    if value:
        connection.execute("REPLACE INTO user_setting VALUES (?, ?, ?, ?)", (user, uid, name, value))
    else:
        connection.execute("DELETE FROM user_setting WHERE user = ? AND uid = ? AND name = ?", (user, uid, name))


def all_revocations(connection: sqlite3.Connection) -> dict[str, int]:
    """Stamps by user."""
    return dict(connection.execute("SELECT user, stamp FROM revocation"))


def put_revocation(connection: sqlite3.Connection, user: str, stamp: int) -> None:
    """Write the stamp of one user, on the disk before this returns."""
    connection.execute("PRAGMA synchronous=FULL")
    try:
        connection.execute("REPLACE INTO revocation VALUES (?, ?)", (user, stamp))
    finally:
        connection.execute("PRAGMA synchronous=NORMAL")


def drop_old_revocations(connection: sqlite3.Connection, before: int) -> None:
    """Forget stamps in microseconds that are older than any cookie can be."""
    connection.execute("DELETE FROM revocation WHERE stamp < ?", (before,))


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")

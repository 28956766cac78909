"""Tables of the store and how they came to be. Plain functions given a connection."""

import sqlite3

VERSION = 6

_STEPS = (
    """
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        label TEXT NOT NULL DEFAULT '',
        project TEXT NOT NULL DEFAULT '',
        r_version TEXT NOT NULL DEFAULT '',
        created REAL NOT NULL,
        last_used REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_by_user ON session (user);
    CREATE TABLE revocation (
        user TEXT PRIMARY KEY,
        stamp INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE session ADD COLUMN status TEXT NOT NULL DEFAULT '';",
    """
    CREATE TABLE project (
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        id TEXT NOT NULL,
        path TEXT NOT NULL,
        opened REAL NOT NULL,
        PRIMARY KEY (user, uid, id)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE session ADD COLUMN r_wish TEXT NOT NULL DEFAULT '';
    ALTER TABLE session ADD COLUMN r_key TEXT NOT NULL DEFAULT '';
    UPDATE session SET r_key = r_version;
    CREATE TABLE user_setting (
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (user, uid, name)
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE project ADD COLUMN real TEXT NOT NULL DEFAULT '';",
    """
    ALTER TABLE session ADD COLUMN door TEXT NOT NULL DEFAULT '';
    CREATE TABLE refresh_token (
        digest BLOB PRIMARY KEY,
        pair TEXT NOT NULL,
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE void_pair (
        pair TEXT PRIMARY KEY,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)


class StoreTooNew(Exception):
    """The database was written by a newer version of this program; the text names both versions."""


def open_database(path: str) -> sqlite3.Connection:
    """A connection to the database at path, brought to our version; it may be used by one thread at a time."""
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-512")
    upgrade(connection)
    return connection


def upgrade(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing, each whole or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreTooNew(f"the store has version {version}, this program knows {VERSION}")
    for number, step in enumerate(_STEPS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version={number}; COMMIT;")

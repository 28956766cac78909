"""Queries on refresh tokens, of which only digests are kept."""

import sqlite3
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class TokenRow:
    """digest: SHA-256 of the token; pair: names it and its access token; expires: seconds since 1970."""

    digest: bytes
    pair: str
    user: str
    uid: int
    expires: int


def put_token(connection: sqlite3.Connection, row: TokenRow, now: int) -> None:
    """Write one; those that have ended are forgotten."""
    connection.execute("DELETE FROM refresh_token WHERE expires <= ?", [now])
    connection.execute("INSERT INTO refresh_token VALUES (?, ?, ?, ?, ?)", astuple(row))


def take_token(connection: sqlite3.Connection, digest: bytes, now: int) -> TokenRow | None:
    """The one of this digest, which is gone from now on; None for one that is unknown or has ended."""
    found = connection.execute("DELETE FROM refresh_token WHERE digest = ? RETURNING *", [digest]).fetchone()
    row = TokenRow(*found) if found else None
    return row if row is not None and row.expires > now else None


def void_pair(connection: sqlite3.Connection, pair: str, until: int, now: int) -> None:
    """Access tokens of that pair are void; until: when the last of them would have ended."""
    connection.execute("DELETE FROM void_pair WHERE expires <= ?", [now])
    connection.execute("REPLACE INTO void_pair VALUES (?, ?)", [pair, until])


def void_pairs(connection: sqlite3.Connection) -> list[str]:
    """Pairs whose access tokens are void."""
    return [pair for (pair,) in connection.execute("SELECT pair FROM void_pair")]

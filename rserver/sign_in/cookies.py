"""The sign-in cookie: who, until when, under which key. Pure.

Value: version|user|uid|issued|expires|stay|key id|HMAC-SHA256 in hex, the user percent-encoded. `issued` is in
microseconds, so that two cookies of one second stand on their own sides of a revocation.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from rserver_core.user_name import is_user_name

USER_COOKIE = "user-id"
MAX_VALUE = 1024
_VERSION = "1"
_CACHE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the cookie says. issued is in microseconds, expires in seconds since 1970; stay: asked to stay signed in."""

    user: str
    uid: int
    issued: int
    expires: int
    stay: bool = False


class CookieSigner:
    """Signs with the first key, accepts every key."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or min(map(len, keys)) < 32:
            raise ValueError("a cookie key needs at least 32 bytes")
        self._keys = {_key_id(key): key for key in keys}
        self._first = _key_id(keys[0])
        self._seen: dict[str, Ticket] = {}

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All keys, the first signs."""
        return tuple(self._keys.values())

    def sign(self, ticket: Ticket) -> str:
        """The value of the cookie."""
        stay = "1" if ticket.stay else "0"
        name = quote(ticket.user, safe="")
        body = f"{_VERSION}|{name}|{ticket.uid}|{ticket.issued}|{ticket.expires}|{stay}|{self._first}"
        return f"{body}|{_mac(self._keys[self._first], body)}"

    def read(self, value: str) -> Ticket | None:
        """Who signed value names, or None when it is not ours. Neither expiry nor revocation is looked at."""
        known = self._seen.get(value)
        if known is None and (known := self._verify(value)) is not None:
            self._remember(value, known)
        return known

    def _verify(self, value: str) -> Ticket | None:
        if len(value) > MAX_VALUE or not value.isascii():
            return None
        body, _, mac = value.rpartition("|")
        key = self._keys.get(body.rpartition("|")[2])
        if key is None or not hmac.compare_digest(mac, _mac(key, body)):
            return None
        return _parse(body)

    def _remember(self, value: str, ticket: Ticket) -> None:
        if len(self._seen) >= _CACHE_SIZE:
            self._seen.clear()
        self._seen[value] = ticket


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"cookie key id" + key).hexdigest()[:8]


def _mac(key: bytes, body: str) -> str:
    return hmac.digest(key, body.encode("ascii"), "sha256").hex()


def _parse(body: str) -> Ticket | None:
    match body.split("|"):
        case [version, name, uid, issued, expires, stay, _] if version == _VERSION and is_user_name(unquote(name)):
            return Ticket(unquote(name), int(uid), int(issued), int(expires), stay == "1")
    return None

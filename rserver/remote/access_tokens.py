"""Access tokens: JSON Web Tokens (RFC 7519), signed with RS512, checked without asking anybody."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from rserver.remote.signing_keys import SigningKey
from rserver.web.request import Identity

if TYPE_CHECKING:
    from jwt.types import Options

ALGORITHM = "RS512"
ISSUER = "rserver"
MOST_KNOWN = 10_000
_LONGEST = 4096
_CLAIMS = ["exp", "iat", "sub", "uid", "pair"]


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for, until when (seconds since 1970), and the pair that it belongs to."""

    identity: Identity
    expires: int
    pair: str


class AccessTokens:
    """Issues and reads them. life: seconds; the first of the keys signs, all of them are believed."""

    def __init__(self, keys: Sequence[SigningKey], life: int, now: Callable[[], float]) -> None:
        self.keys, self.life, self._now = list(keys), life, now
        self._known: OrderedDict[str, Bearer] = OrderedDict()
        self._void: dict[str, int] = {}

    def issue(self, identity: Identity, pair: str) -> tuple[str, int]:
        """A token, and when it ends."""
        issued = int(self._now())
        expires = issued + self.life
        claims = {
            "iss": ISSUER,
            "sub": identity.user,
            "uid": identity.uid,
            "iat": issued,
            "exp": expires,
            "pair": pair,
            "jti": secrets.token_hex(8),
        }
        key = self.keys[0]
        return jwt.encode(claims, key.private, ALGORITHM, {"kid": key.id}), expires

    def read(self, token: str) -> Bearer | None:
        """Whom it stands for now; None for one that we did not issue, that has ended, or that was voided."""
        bearer = self._known.get(token) or self._verified(token)
        if bearer is None or bearer.expires <= self._now() or bearer.pair in self._void:
            self._known.pop(token, None)
            return None
        return bearer

    def void(self, pair: str) -> None:
        """Tokens of this pair count no more."""
        now = int(self._now())
        self._void = {known: until for known, until in self._void.items() if until > now}
        self._void[pair] = now + self.life

    def _verified(self, token: str) -> Bearer | None:
        if len(token) > _LONGEST:
            return None
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
            key = next(key for key in self.keys if key.id == wanted)
            # Its end is looked at by our own clock, each time.
            options: Options = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}
            claims = jwt.decode(token, key.public, [ALGORITHM], options, issuer=ISSUER)
            bearer = Bearer(Identity(str(claims["sub"]), int(claims["uid"])), int(claims["exp"]), str(claims["pair"]))
        except (jwt.PyJWTError, StopIteration, ValueError, TypeError):
            return None
        self._known[token] = bearer
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return bearer

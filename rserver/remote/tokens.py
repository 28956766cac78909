"""Pairs of an access token and the refresh token that renews it. A refresh token counts once."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from rserver.remote.access_tokens import AccessTokens, Bearer
from rserver.remote.messages import Tokens
from rserver.store.refresh_tokens import TokenRow
from rserver.store.store import Store
from rserver.web.request import Identity

REFRESH_SECONDS = 14 * 86400


@dataclass(slots=True)
class TokenPairs:
    """Issues, renews and voids them. now: seconds since 1970."""

    access: AccessTokens
    store: Store
    now: Callable[[], float]

    async def restore(self) -> None:
        """Pairs that were voided before this process began stay void."""
        for pair in await self.store.void_pairs():
            self.access.void(pair)

    async def issue(self, identity: Identity) -> Tokens:
        """A new pair."""
        pair, refresh, now = secrets.token_hex(8), secrets.token_urlsafe(32), int(self.now())
        row = TokenRow(_digest(refresh), pair, identity.user, identity.uid, now + REFRESH_SECONDS)
        await self.store.put_token(row, now)
        token, expires = self.access.issue(identity, pair)
        return Tokens("Bearer", token, self.access.life, expires, refresh)

    async def renew(self, refresh: str) -> Tokens | None:
        """A new pair for a refresh token, which with its access token is void from now on; None when it is not good."""
        row = await self._take(refresh)
        return None if row is None else await self.issue(Identity(row.user, row.uid))

    async def revoke(self, refresh: str) -> bool:
        """Void a refresh token and its access token; False when it is not good."""
        return await self._take(refresh) is not None

    def bearer(self, authorization: str) -> Bearer | None:
        """Who sends a request with this Authorization field."""
        scheme, _, token = authorization.partition(" ")
        return self.access.read(token.strip()) if scheme.lower() == "bearer" else None

    async def _take(self, refresh: str) -> TokenRow | None:
        now = int(self.now())
        row = await self.store.take_token(_digest(refresh), now)
        if row is not None:
            self.access.void(row.pair)
            await self.store.void_pair(row.pair, now + self.access.life, now)
        return row


def _digest(refresh: str) -> bytes:
    return hashlib.sha256(refresh.encode("utf-8", "replace")).digest()

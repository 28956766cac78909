"""What is done once an account with sessions is gone: its cookies are void, it is cut off, and the audit log knows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from rserver.sign_in.audit import AuditLog
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.standing import Account, Standing

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_log = Logger()


class RevocationStore(Protocol):
    """The part of the store that keeps which cookies are void."""

    def put_revocation(self, user: str, stamp: int) -> "Deferred[None]":
        """Cookies of user issued up to stamp are void."""


@dataclass(slots=True)
class Farewell:
    """close_user: ends what is carried for a user now."""

    credentials: Credentials
    store: RevocationStore
    audit: AuditLog
    close_user: Callable[[str], object]

    async def account_gone(self, account: Account, standing: Standing) -> None:
        """This account is none any more."""
        user, uid = account
        self.close_user(user)
        self.audit.record("account_gone", user=user, address="", uid=uid, reason=standing.problem)
        # A cookie names the number too: only where nobody has the name may somebody get both anew.
        if standing.is_unknown:
            await self._void_cookies(user)

    async def _void_cookies(self, user: str) -> None:
        stamp = self.credentials.revoke(user)
        try:
            await self.store.put_revocation(user, stamp)
        except Exception as error:
            _log.error("void cookies of {user} not stored: {error}", user=user, error=str(error))

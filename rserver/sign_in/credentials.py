"""Cookies that say who somebody is: made at sign-in, checked with each request, renewed, revoked."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.cookies import USER_COOKIE, CookieSigner, Ticket
from rserver.sign_in.csrf import CSRF_COOKIE
from rserver.sign_in.revocations import Revocations
from rserver.sign_in.set_cookie import CookieStyle
from rserver_core import diagnose_token


@dataclass(slots=True)
class Credentials:
    """Signer, life and look of the cookies, and which of them are void. now: seconds since 1970.

    on_void is told of every user whose cookies issued up to a stamp become void.
    """

    signer: CookieSigner
    life: CookieLife
    style: CookieStyle
    revocations: Revocations = field(default_factory=Revocations)
    now: Callable[[], float] = time.time
    on_void: Callable[[str, int], object] = lambda user, stamp: None

    def check(self, cookies: Mapping[str, str]) -> Ticket | None:
        """The ticket in these cookies when it is good now."""
        ticket = self.signed(cookies)
        if ticket is None or ticket.expires <= self.now() or self.revocations.is_revoked(ticket.user, ticket.issued):
            return None
        return ticket

    def signed(self, cookies: Mapping[str, str]) -> Ticket | None:
        """The ticket in these cookies when we signed it at any time."""
        value = cookies.get(USER_COOKIE)
        return None if value is None else self.signer.read(value)

    def issue(self, user: str, uid: int, *, stay: bool, secure: bool, root_path: str) -> str:
        """Set-Cookie for somebody who signed in. root_path is that of the request, as the browser sees it."""
        issued = self.revocations.issue_time(user, int(self.now() * 1_000_000))
        return self._set(self.life.new(user, uid, issued, stay), secure, root_path)

    def knows_token(self, token: str) -> bool:
        """Whether this is a good token of `rstudio-server diagnose`."""
        return diagnose_token.is_valid(self.signer.keys, token, self.now())

    def new_token(self) -> str:
        """Such a token."""
        return diagnose_token.make(self.signer.keys[0], self.now())

    def renewed(self, ticket: Ticket, *, secure: bool, root_path: str) -> tuple[str, ...]:
        """Set-Cookie that prolongs a good ticket, none when it is too early for that."""
        if not self.life.needs_renewal(ticket, self.now()):
            return ()
        return (self.issue(ticket.user, ticket.uid, stay=ticket.stay, secure=secure, root_path=root_path),)

    def revoke(self, user: str) -> int:
        """Void every cookie of user; the stamp to keep."""
        stamp = self.revocations.revoke(user, int(self.now() * 1_000_000))
        self.on_void(user, stamp)
        return stamp

    def clear(self, *, secure: bool, root_path: str) -> str:
        """Set-Cookie for somebody who signed out or whose cookie is void."""
        return self.style.clear(USER_COOKIE, secure=secure, root_path=root_path)

    def csrf(self, token: str, *, secure: bool, root_path: str) -> str:
        """Set-Cookie for the token that our pages repeat."""
        return self.style.set(CSRF_COOKIE, token, secure=secure, root_path=root_path, script=True)

    def _set(self, ticket: Ticket, secure: bool, root_path: str) -> str:
        value = self.signer.sign(ticket)
        return self.style.set(USER_COOKIE, value, secure=secure, root_path=root_path, max_age=self.life.max_age(ticket))

"""What stands around the front in benchmarks: one user, one session, no pages."""

import os
import time

from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.cookies import CookieSigner, Ticket
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.set_cookie import CookieStyle
from rserver.web.request import ANONYMOUS, Authentication, Identity, Request, RequestHead, Response, Target
from rserver.web.responses import plain

KEY = b"a key of the benchmarks, not a secret"


def cookie(user: str = "alice") -> str:
    """A Cookie field of somebody who asked to stay signed in, signed as the worker signs."""
    now = int(time.time())
    value = CookieSigner([KEY]).sign(Ticket(user, os.getuid(), now * 1_000_000, now + 86_400, stay=True))
    return f"user-id={value}; rs-csrf-token=abcdef"


class Everything:
    """Gate, Pages and SessionEvents in one."""

    def __init__(self, backend: str, cookies: str) -> None:
        self._credentials = Credentials(CookieSigner([KEY]), CookieLife(), CookieStyle())
        self._target = Target(backend, os.getuid(), (("X-RS-User", "alice"),))

    def authenticate(self, head: RequestHead) -> Authentication:
        ticket = self._credentials.check(head.cookies)
        if ticket is None:
            return ANONYMOUS
        return Authentication(
            Identity(ticket.user, ticket.uid), self._credentials.renewed(ticket, secure=False, root_path="")
        )

    def session_target(self, identity: Identity, session_id: str, head: RequestHead) -> Target:
        return self._target

    async def handle(self, request: Request) -> Response:
        return plain("page")

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        return plain(message, status)

    def connected(self, session_id: str) -> None:
        """See SessionEvents."""

    def disconnected(self, session_id: str) -> None:
        """See SessionEvents."""

    def first_byte(self, session_id: str) -> None:
        """See SessionEvents."""

    def failed(self, session_id: str, reason: str) -> None:
        print(reason)

"""What stands around the front in benchmarks: one user, one session, no pages."""

import os

from rserver.web.request import ANONYMOUS, Authentication, Identity, Request, RequestHead, Response, Target
from rserver.web.responses import plain


class Everything:
    """Gate, Pages and SessionEvents in one."""

    def __init__(self, backend: str, cookies: str) -> None:
        value = cookies.partition("=")[2].partition(";")[0]
        self._verified = {value: Authentication(Identity("alice", os.getuid()))}
        self._target = Target(backend, os.getuid(), (("X-RS-User", "alice"),))

    def authenticate(self, head: RequestHead) -> Authentication:
        return self._verified.get(head.cookies.get("user-id", ""), ANONYMOUS)

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

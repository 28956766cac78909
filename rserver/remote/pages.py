"""What the door answers itself: tokens, sessions, status."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from twisted.internet.defer import Deferred

from rserver.remote import routes
from rserver.remote.answers import error, json_answer
from rserver.remote.messages import CreateSession, Login, RefreshToken
from rserver.remote.openapi import document
from rserver.remote.sessions import RemoteSessions
from rserver.remote.sign_in import ProgramSignIn
from rserver.remote.status import ServerStatus
from rserver.remote.tokens import TokenPairs
from rserver.web.json_body import BadBody, json_body
from rserver.web.request import Request, RequestHead, Response
from rserver.web.session_view import server_url

OPENAPI = "/openapi.json"
_NOT_GOOD = "The refresh token is unknown, has ended or was used before. Sign in again."


@dataclass(slots=True)
class RemotePages:
    """Implements Pages for the door. loop: where answers for the front run."""

    tokens: TokenPairs
    sign_in: ProgramSignIn
    sessions: RemoteSessions
    status: ServerStatus
    loop: Callable[[], asyncio.AbstractEventLoop]

    def handle(self, request: Request) -> Awaitable[Response]:
        """See Pages."""
        return Deferred.fromCoroutine(self._answer(request)).asFuture(self.loop())

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        """See Pages."""
        return error(status, message)

    async def _answer(self, request: Request) -> Response:
        if request.path == OPENAPI:
            return json_answer(document(server_url(request.head)))
        found = routes.find(request.method, request.path)
        assert isinstance(found, routes.Found), "the door looks first"
        try:
            return await self._by_operation(found, request)
        except BadBody as bad:
            return error(400, f"The body is not acceptable: {bad}.")

    async def _by_operation(self, found: routes.Found, request: Request) -> Response:
        match found.route.operation:
            case "login":
                return await self._login(request)
            case "renewToken":
                tokens = await self.tokens.renew(json_body(request, RefreshToken).refresh_token)
                return error(401, _NOT_GOOD) if tokens is None else json_answer(tokens)
            case "revokeRefreshToken":
                given = parse_qs(request.query).get("refreshToken", [""])[0]
                return json_answer("") if await self.tokens.revoke(given) else error(401, _NOT_GOOD)
            case "status":
                return json_answer(self.status.shown())
        return await self._of_sessions(found, request)

    async def _login(self, request: Request) -> Response:
        wanted = json_body(request, Login)
        identity = await self.sign_in.check(wanted.username, wanted.password, request.head.remote[0])
        return identity if isinstance(identity, Response) else json_answer(await self.tokens.issue(identity))

    async def _of_sessions(self, found: routes.Found, request: Request) -> Response:
        identity = request.identity
        if identity is None:
            return error(401, "Send an access token: Authorization: Bearer <access_token>.")
        match found.route.operation:
            case "listSessions":
                return self.sessions.listed(identity)
            case "createSession":
                return await self.sessions.create(identity, json_body(request, CreateSession), server_url(request.head))
        session = self.sessions.find(identity, found.session_id)
        if session is None:
            return error(404, "There is no such session.")
        return await self.sessions.end(session, force=found.route.operation == "forceCloseSession")

"""What answers a request of a program: who sends it, where it leads."""

from dataclasses import dataclass, replace

from rserver.proxy.client import Exchange
from rserver.proxy.dispatch import request_head
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.proxy.page_exchange import PageExchange
from rserver.proxy.router import BadPath, SessionRoute, split_target
from rserver.proxy.services import Services
from rserver.proxy.session_proxy import Asked, SessionExchange
from rserver.remote import routes
from rserver.remote.answers import error
from rserver.remote.gate import RemoteGate
from rserver.remote.pages import OPENAPI, RemotePages
from rserver.web.request import PAGE_BODY_LIMIT, Identity, RequestHead, Response
from rserver.web.responses import STATUS_OF_CODE

_NO_TOKEN = "Send an access token: Authorization: Bearer <access_token>. POST /login gives one."


@dataclass(slots=True)
class RemoteServices(Services):
    """As those of browsers, but for the shape of errors."""

    def error(self, head: RequestHead, code: int, message: str) -> Response:
        """See Services."""
        return error(STATUS_OF_CODE.get(code, 500), message)

    def error_page(self, head: RequestHead, status: int, message: str) -> Response:
        """See Services."""
        return error(status, message)


class RemoteDoor:
    """Begins the answer to every request of every connection of the door."""

    def __init__(self, shared: Services, gate: RemoteGate, pages: RemotePages, *, tls: bool) -> None:
        """shared: what all connections of this worker use. tls: programs speak it to us."""
        self._gate = gate
        self._services = RemoteServices(
            replace(shared.settings, root_path="", tls=tls),
            shared.loop,
            gate,
            pages,
            shared.events,
            shared.deadlines,
            shared.pool,
            shared.carrier,
            shared.log,
            shared.closed,
            shared.knows_token,
            shared.live,
        )

    def begin(self, front: Front, line: RequestLine) -> Exchange | None:
        """The exchange that answers this request; None when the answer was given already."""
        front.cookies = ()
        found = self._found(front, line)
        if isinstance(found, Response):
            front.answer(found)
            return None
        return found

    def _found(self, front: Front, line: RequestLine) -> Exchange | Response:
        services = self._services
        try:
            path, query = split_target(line.target, "")
        except BadPath as bad:
            return error(400, f"{str(bad)[:1].upper()}{str(bad)[1:]}.")
        head = request_head(services.settings, line, front.peer, path, query)
        if services.closed(head) is not None:
            return error(503, "The server is offline.")
        if path == OPENAPI and line.method in {"GET", "HEAD"}:
            return PageExchange(services, front, head, None)
        where = routes.find(line.method, path)
        identity = self._gate.authenticate(head).identity
        if isinstance(where, tuple):
            return _nowhere(where, identity)
        if identity is None and not where.route.public:
            return error(401, _NO_TOKEN)
        if where.rest and identity is not None:
            return self._to_session(front, line, head, where, identity)
        return self._page(front, line, head, identity)

    def _page(
        self, front: Front, line: RequestLine, head: RequestHead, identity: Identity | None
    ) -> Exchange | Response:
        if (line.length or 0) > PAGE_BODY_LIMIT:
            return error(413, "The request is larger than 64 KiB.")
        if not self._services.pages_open.may_enter(head.remote[0]):
            return error(503, "The server has too much to do.")
        return PageExchange(self._services, front, head, identity)

    def _to_session(
        self, front: Front, line: RequestLine, head: RequestHead, where: routes.Found, identity: Identity
    ) -> Exchange | Response:
        services = self._services
        if complaint := services.too_many_of(identity.user):
            return error(503, complaint)
        # The session has no use for the token, which could be used for other sessions.
        fields = [field for field in line.fields if field[0] != "authorization"]
        bare = replace(line, fields=fields, upgrade=False)
        route = SessionRoute(where.session_id, where.rest)
        return SessionExchange(services, front, Asked(bare, head, identity, route, ()))


def _nowhere(methods: tuple[str, ...], identity: Identity | None) -> Response:
    if identity is None:
        return error(401, _NO_TOKEN)
    if not methods:
        return error(404, "There is no such address.")
    allowed = ", ".join(dict.fromkeys(methods))
    return replace(error(405, f"This address takes {allowed} only."), headers=(("Allow", allowed),))

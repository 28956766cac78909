"""What answers a request: looks at the route, the caller and the tokens, and makes the exchange.

What is decided here on a request for a session holds for a moment for others that are alike in all that
native/requests.c names in `decides`: whoever looks at another field of the head names it there.
"""

from rserver.proxy.client import Exchange
from rserver.proxy.collab_exchange import CollabExchange
from rserver.proxy.diagnosis import FIELD, Diagnosis
from rserver.proxy.forward import parse_cookies
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.proxy.origin_policy import token_matches
from rserver.proxy.overload import HEALTH_CHECK, refusal
from rserver.proxy.own_nginx import OWN_NGINX, peer_of_nginx
from rserver.proxy.page_exchange import PageExchange
from rserver.proxy.port_proxy import PortExchange
from rserver.proxy.router import (
    BadPath,
    CollabRoute,
    MovedRoute,
    PageRoute,
    PortRoute,
    Route,
    SessionRoute,
    StaticRoute,
    UnknownSessionRoute,
    route,
    split_target,
)
from rserver.proxy.services import Services
from rserver.proxy.session_proxy import Asked, SessionExchange
from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import Browser
from rserver.web.request import PAGE_BODY_LIMIT, Identity, RequestHead, Response
from rserver.web.responses import (
    INTERNAL,
    LOST,
    NO_SUCH_SESSION,
    NOT_A_REQUEST,
    NOT_SIGNED_IN,
    plain,
    redirect,
    rpc_error,
    sign_in_redirect,
    wants_page,
)
from rserver.web.static_files import StaticFiles

_MANY_CONNECTIONS = "There are too many connections. Try again in a few seconds."


class Dispatcher:
    """Begins the answer to every request of every connection."""

    def __init__(self, services: Services, static: StaticFiles) -> None:
        self._services = services
        self._static = static
        self._diagnosis = Diagnosis(services.loop, services.settings, services.knows_token)

    def stop(self) -> None:
        """Break off what is not known to the connections."""
        self._diagnosis.stop()

    def begin(self, front: Front, line: RequestLine) -> Exchange | None:
        """The exchange that answers this request; None when the answer was given already."""
        front.cookies = ()
        head = self._head(front, line)
        if isinstance(head, Response):
            found: Exchange | Response = head
        else:
            found = self._answer_or_exchange(front, line, head, route(head.path))
        if isinstance(found, Response):
            front.answer(found)
            return None
        return found

    def refuse(self, front: Front, line: RequestLine) -> Exchange | None:
        """As begin, on a connection above the limit: only the health check is answered."""
        head = self._head(front, line)
        if not isinstance(head, Response) and head.path == HEALTH_CHECK:
            return self.begin(front, line)
        front.answer(head if isinstance(head, Response) else self._too_many(head, _MANY_CONNECTIONS))
        return None

    def _head(self, front: Front, line: RequestLine) -> RequestHead | Response:
        try:
            path, query = split_target(line.target, self._services.settings.root_path)
        except BadPath as bad:
            return plain(f"{bad}\n", 400)
        return request_head(self._services.settings, line, front.peer, path, query)

    def _too_many(self, head: RequestHead, message: str) -> Response:
        return refusal(head, message, self._services.error_page)

    def failed(self, front: Front, line: RequestLine, reason: str) -> None:
        """Answer a request that was carried without an exchange and found no answer."""
        path, query = split_target(line.target, self._services.settings.root_path)
        where = route(path)
        if isinstance(where, SessionRoute):
            self._services.events.failed(where.session_id, reason)
        head = request_head(self._services.settings, line, front.peer, path, query)
        front.answer(self._services.error(head, LOST, SessionExchange.lost_text))

    def _answer_or_exchange(
        self, front: Front, line: RequestLine, head: RequestHead, where: Route
    ) -> Exchange | Response:
        if isinstance(where, StaticRoute):
            return self._static.respond(head, where.prefix, where.name)
        if FIELD in line.headers and (probe := self._diagnosis.exchange(front, line, head, front.peer)) is not None:
            return probe
        if (closed := self._services.closed(head)) is not None:
            return closed
        if isinstance(where, MovedRoute):
            query = f"?{head.query}" if head.query else ""
            return redirect(head.root_path + where.path + query, 308)
        try:
            seen = self._services.gate.authenticate(head)
        except Exception:
            self._services.log.failure("sign-in check failed")
            return self._services.error(head, INTERNAL, "The server failed to check who you are.")
        front.cookies = seen.cookies
        if not seen.repeatable:
            front.learn(None)
        refusal = self._refusal(line, head, where, seen.identity)
        if refusal is not None:
            return refusal
        if isinstance(where, SessionRoute | PortRoute) and seen.identity is not None:
            return self._to_session(front, line, head, where, seen.identity)
        if (line.length or 0) > PAGE_BODY_LIMIT:
            return self._services.error_page(head, 413, "The request is larger than 64 KiB.")
        if head.path != HEALTH_CHECK and not self._services.pages_open.may_enter(head.remote[0]):
            return self._too_many(head, "The server has too much to do.")
        return PageExchange(self._services, front, head, seen.identity)

    def _to_session(
        self, front: Front, line: RequestLine, head: RequestHead, where: SessionRoute | PortRoute, identity: Identity
    ) -> Exchange | Response:
        services = self._services
        if complaint := services.too_many_of(identity.user):
            return self._too_many(head, complaint)
        asked = Asked(line, head, identity, where, front.cookies)
        if isinstance(where, PortRoute):
            return PortExchange(services, front, asked)
        if isinstance(where, CollabRoute):
            if line.method not in {"GET", "POST"} or (line.method == "GET" and line.has_body):
                return rpc_error(NOT_A_REQUEST, "Only GET, POST and WebSockets lead to a shared text.", 405)
            return CollabExchange(services, front, asked)
        return SessionExchange(services, front, asked)

    def _refusal(
        self, line: RequestLine, head: RequestHead, where: Route, identity: Identity | None
    ) -> Response | None:
        page = isinstance(where, PageRoute)
        if identity is None and not (isinstance(where, PageRoute) and not where.signed_in):
            if wants_page(head) or page:
                return sign_in_redirect(head)
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        if isinstance(where, UnknownSessionRoute):
            return self._services.error(head, NO_SUCH_SESSION, "There is no such session.")
        # A program's own forms know nothing of our token; our cookie does not come with those of other sites.
        checked = where.token if isinstance(where, PageRoute) else not isinstance(where, PortRoute)
        if checked and identity is not None and not token_matches(head):
            return rpc_error(NOT_A_REQUEST, "The X-RS-CSRF-Token header does not match the cookie.", 403)
        origins = self._services.settings.origins
        if not origins.allows_request(head):
            if "text/html" in head.headers.get("accept", ""):
                return self._services.error_page(head, 403, "This request was sent by a page of another server.")
            return rpc_error(NOT_A_REQUEST, "The Origin of the request is not this server.", 403)
        if line.upgrade and not origins.allows_socket(head):
            return rpc_error(NOT_A_REQUEST, "The Origin of the WebSocket is not this server.", 403)
        return None


def request_head(
    settings: FrontSettings, line: RequestLine, peer: tuple[str, int], path: str, query: str
) -> RequestHead:
    """The request as gate and pages see it; what a trusted proxy says about the browser is believed."""
    headers = line.headers
    tls = settings.tls
    if peer == OWN_NGINX:
        address, port, tls = peer_of_nginx(headers)
        peer = (address, port)
    plain = Browser(peer[0], tls, headers.get("host", ""), settings.root_path)
    seen = settings.trusted_proxies.browser(peer[0], headers, plain)
    remote, cookies = (seen.address, peer[1]), parse_cookies(headers.get("cookie"))
    return RequestHead(line.method, path, query, headers, cookies, remote, seen.secure, seen.host, seen.root_path)

"""Where each request of the session's socket goes."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from rsession.error_code import RpcError
from rsession.http_connection import Answer, Upgraded
from rsession.http_message import Request, Response
from rsession.listeners import Listeners
from rsession.rpc import Clients, Rpc
from rsession.websocket import EventSocket, refuse_handshake

if TYPE_CHECKING:
    from rsession.http_connection import HttpConnection
    from rsession.http_stream import Receiver, Sender

GetHandler = Callable[[Request], Answer]
ReceiverHandler = Callable[[Request, "Sender"], "Receiver"]
SocketHandler = Callable[[Request, "HttpConnection"], Upgraded | Response]

_PING = Response.of_text(200, "pong")
_BACKGROUND = "x-rstudio-refresh-auth-creds"
_MAX_POSITION_DIGITS = 15
_Handler = TypeVar("_Handler")


class Routes:
    """Handlers of GET by prefix of the path, of other methods by the whole path or by all that is below one."""

    def __init__(self) -> None:
        self._handlers: dict[str, GetHandler] = {}
        self._methods: dict[tuple[str, str], GetHandler] = {}
        self._receivers: dict[tuple[str, str], ReceiverHandler] = {}
        self._sockets: dict[str, SocketHandler] = {}

    def get(self, prefix: str, handler: GetHandler) -> None:
        """See `service_api.Routes.get`."""
        if prefix in self._handlers:
            raise ValueError(f"GET {prefix} is routed twice")
        self._handlers[prefix] = handler

    def method(self, method: str, path: str, handler: GetHandler) -> None:
        """Hand requests of a method for this path to `handler`; a path that ends in a slash: for what is below it."""
        self._methods[method, path] = handler

    def find_method(self, method: str, path: str) -> GetHandler | None:
        """The handler of that method at that path."""
        return _found(self._methods, method, path)

    def receiver(self, method: str, path: str, handler: ReceiverHandler) -> None:
        """As `method`, for requests whose bodies are taken as they come."""
        self._receivers[method, path] = handler

    def find_receiver(self, method: str, path: str) -> ReceiverHandler | None:
        """The handler of that method at that path."""
        return _found(self._receivers, method, path)

    def socket(self, prefix: str, handler: SocketHandler) -> None:
        """Hand WebSocket handshakes below a prefix, already checked, to `handler`."""
        self._sockets[prefix] = handler

    def find_socket(self, path: str) -> SocketHandler | None:
        """The handler of a WebSocket."""
        return next((handler for prefix, handler in self._sockets.items() if path.startswith(prefix)), None)

    def find(self, path: str) -> GetHandler | None:
        """The handler of the longest prefix."""
        prefixes = [prefix for prefix in self._handlers if path.startswith(prefix)]
        return self._handlers[max(prefixes, key=len)] if prefixes else None


def _found(handlers: dict[tuple[str, str], _Handler], method: str, path: str) -> _Handler | None:
    below = (path[: end + 1] for end, character in enumerate(path) if character == "/")
    return handlers.get((method, path)) or next(
        (handlers[method, prefix] for prefix in below if (method, prefix) in handlers), None
    )


class SessionSite:
    """Answers pings, RPC and GET; turns `/events` into a WebSocket."""

    def __init__(self, rpc: Rpc, routes: Routes, listeners: Listeners, clients: Clients) -> None:
        self._rpc = rpc
        self._routes = routes
        self._listeners = listeners
        self._clients = clients

    def answer(self, request: Request) -> Answer:
        """See `http_connection.Site`."""
        if request.path.startswith("/rpc/"):
            if request.method != "POST":
                return replace(Response.of_text(405, "RPC is by POST"), headers={"Allow": "POST"})
            is_background = request.headers.get(_BACKGROUND) == "0"
            return self._rpc.answer(request.path.removeprefix("/rpc/"), request.body, is_background)
        if (found := self._routes.find_method(request.method, request.path)) is not None:
            return found(request)
        if request.method not in ("GET", "HEAD"):
            return replace(Response.of_text(405, "only GET here"), headers={"Allow": "GET, HEAD"})
        if request.path == "/ping":
            return _PING
        handler = self._routes.find(request.path)
        return handler(request) if handler else Response.of_text(404, "the session has no such page")

    def receiver(self, request: Request, sender: "Sender") -> "Receiver | None":
        """See `http_connection.Site`."""
        handler = self._routes.find_receiver(request.method, request.path)
        return handler(request, sender) if handler is not None else None

    def upgrade(self, request: Request, connection: "HttpConnection") -> Upgraded | Response:
        """See `http_connection.Site`."""
        other = self._routes.find_socket(request.path)
        if request.path != "/events" and other is None:
            return Response.of_text(404, "the session has no WebSocket there")
        refusal = refuse_handshake(request)
        if refusal is not None:
            return refusal
        if other is not None:
            return other(request, connection)
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= _MAX_POSITION_DIGITS):
            return Response.of_text(400, "after must be the number of an event")
        try:
            self._clients.check(request.query.get("clientId"))
        except RpcError as error:
            return Response.of_text(403, error.message)
        position = min(int(after), self._listeners.log.last_id)
        return EventSocket(request, connection, self._listeners, position)

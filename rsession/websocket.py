"""The event stream over a WebSocket: one listener per connection."""

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from twisted.internet import interfaces
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import RemoteProtocolError
from zope.interface import implementer

from rsession.http_message import Request, Response
from rsession.listeners import BATCH_BYTES, Listeners

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.http_connection import HttpConnection

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_POLICY_VIOLATION = 1008
_PROTOCOL_ERROR = 1002
_MOST_UNANSWERED = 3
"""Pings, after which the client is taken for gone."""


def refuse_handshake(request: Request) -> Response | None:
    """Why a request is no handshake of RFC 6455, None when it is one."""
    if request.method != "GET" or "upgrade" not in request.headers.get("connection", "").lower():
        return Response.of_text(400, "no WebSocket handshake")
    if request.headers.get("sec-websocket-version") != "13":
        return Response(426, headers={"Sec-WebSocket-Version": "13"})
    if not _KEY.fullmatch(request.headers.get("sec-websocket-key", "")):
        return Response.of_text(400, "Sec-WebSocket-Key is not acceptable")
    return None


def _accept(request: Request) -> bytes:
    key = request.headers["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"


@implementer(interfaces.IPushProducer)
class EventSocket:
    """Sends the log from a position on; what the client does not read stays in the log, not here."""

    def __init__(self, request: Request, connection: "HttpConnection", listeners: Listeners, position: int) -> None:
        self._request = request
        self._connection = connection
        self._listeners = listeners
        self._frames = Connection(ConnectionType.SERVER)
        self._has_room = True
        self._is_closing = False
        self._unanswered = 0
        self._next_ping: IDelayedCall | None = None
        self.position = position

    def connected(self) -> None:
        """Accept the handshake and begin to send."""
        self._connection.send(_accept(self._request))
        interfaces.IConsumer(self._connection.transport).registerProducer(self, True)
        self._listeners.add(self)
        self._ping_later()

    def connection_lost(self) -> None:
        """The client has gone."""
        self._stop_pinging()
        self._listeners.remove(self)

    def data_received(self, data: bytes) -> None:
        """The client may ping and close; messages are refused."""
        if self._is_closing:
            return
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                self._answer(event)
        except RemoteProtocolError:
            self._close(CloseConnection(_PROTOCOL_ERROR, ""))

    def _answer(self, event: Event) -> None:
        if isinstance(event, CloseConnection):
            self._close(event.response())
        elif isinstance(event, TextMessage | BytesMessage):
            self._close(CloseConnection(_POLICY_VIOLATION, "the client sends nothing here"))
        elif isinstance(event, Pong):
            self._unanswered = 0
        elif isinstance(event, Ping) and self._has_room:  # whoever does not read needs no pongs either
            self._connection.send(self._frames.send(event.response()))

    def _ping_later(self) -> None:
        if self._listeners.ping_seconds:
            self._next_ping = self._listeners.clock.callLater(self._listeners.ping_seconds, self._ping)

    def _ping(self) -> None:
        """Proxies end silent connections, and nobody else tells that a client is gone."""
        self._next_ping = None
        if self._unanswered >= _MOST_UNANSWERED:
            self._connection.abort()
            return
        if self._has_room:
            self._unanswered += 1
            self._connection.send(self._frames.send(Ping()))
        self._ping_later()

    def _stop_pinging(self) -> None:
        if self._next_ping is not None:
            self._next_ping.cancel()
            self._next_ping = None

    def pump(self) -> None:
        """Send what is new while the connection has room."""
        while self._has_room:
            events, position = self._listeners.log.read(self.position, BATCH_BYTES)
            if not events:
                return
            self.position = position
            self._connection.send(self._frames.send(TextMessage(f"[{','.join(events)}]")))

    def pauseProducing(self) -> None:
        """The connection's buffer is full."""
        self._has_room = False

    def resumeProducing(self) -> None:
        """The client has read."""
        self._has_room = not self._is_closing
        self.pump()
        self._listeners.on_progress()

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._has_room = False

    def _close(self, farewell: CloseConnection) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._stop_pinging()
        self._listeners.remove(self)
        self._has_room = False
        if self._frames.state.name in ("OPEN", "REMOTE_CLOSING"):
            self._connection.send(self._frames.send(farewell))
        self._connection.close()

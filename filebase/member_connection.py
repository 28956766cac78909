"""A WebSocket of one member, on a connection that the host's session has handed over after it checked who it is."""

import asyncio
import base64
import hashlib
from typing import cast

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import RemoteProtocolError

from filebase import bounds
from filebase.pace import Bucket
from filebase.room import POLICY, TOO_LARGE, Member, Room

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PING_SECONDS = 20.0
_MOST_UNANSWERED = 3
_LONGEST_REASON = 120


class MemberConnection(asyncio.Protocol):
    """key: Sec-WebSocket-Key of the handshake, already checked; early: what came behind it."""

    def __init__(self, room: Room, user: str, key: str, early: bytes) -> None:
        self._room, self._user, self._key, self._early = room, user, key, early
        self._frames = Connection(ConnectionType.SERVER)
        self._parts: list[bytes] = []
        self._size = 0
        self._member: Member | None = None
        self._is_closing = False
        self._unanswered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._messages = Bucket(bounds.MESSAGES_PER_SECOND, bounds.MESSAGE_BURST, self._loop.time)
        self._bytes = Bucket(bounds.BYTES_PER_SECOND, bounds.BYTE_BURST, self._loop.time)
        digest = hashlib.sha1(self._key.encode() + _GUID, usedforsecurity=False).digest()
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._transport.write(head + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
        self._ping = self._loop.call_later(_PING_SECONDS, self._send_ping)
        self._member = self._room.enter(self._user, self)
        if self._early:
            self.data_received(self._early)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._ping.cancel()
        if self._member is not None:
            self._room.leave(self._member)

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            return
        wait = self._bytes.take(len(data))
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                self._take(event)
        except RemoteProtocolError:
            self.close(1002, "")
        self._rest(wait)

    def send(self, message: bytes) -> None:
        """See Peer."""
        if self._is_closing:
            return
        if self._transport.get_write_buffer_size() + len(message) > bounds.BACKLOG:
            self._transport.abort()
            return
        self._transport.write(self._frames.send(BytesMessage(data=message)))

    def close(self, code: int, reason: str) -> None:
        """See Peer."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._frames.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            self._transport.write(self._frames.send(CloseConnection(code, reason[:_LONGEST_REASON])))
        self._transport.close()

    def _take(self, event: Event) -> None:
        if self._is_closing:
            return
        if isinstance(event, CloseConnection):
            self.close(event.code, "")
        elif isinstance(event, TextMessage):
            self.close(POLICY, "messages are binary")
        elif isinstance(event, BytesMessage):
            self._collect(event)
        elif isinstance(event, Pong):
            self._unanswered = 0
        elif isinstance(event, Ping):
            self._transport.write(self._frames.send(event.response()))

    def _collect(self, event: BytesMessage) -> None:
        self._parts.append(bytes(event.data))
        self._size += len(event.data)
        if self._size > bounds.MESSAGE:
            self.close(TOO_LARGE, "the message is too large")
        elif event.message_finished:
            message, self._parts, self._size = b"".join(self._parts), [], 0
            self._rest(self._messages.take(1))
            if self._member is not None:
                self._room.receive(self._member, message)

    def _rest(self, seconds: float) -> None:
        """Who sends too fast is not read for a while."""
        if seconds > 0 and not self._transport.is_closing() and self._transport.is_reading():
            self._transport.pause_reading()
            self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _send_ping(self) -> None:
        if self._unanswered >= _MOST_UNANSWERED:
            self._transport.abort()
            return
        self._unanswered += 1
        self._transport.write(self._frames.send(Ping()))
        self._ping = self._loop.call_later(_PING_SECONDS, self._send_ping)

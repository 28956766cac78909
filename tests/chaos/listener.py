"""Somebody who reads a console by WebSocket and long poll in turns, and comes back where the connection broke."""

import base64
import json
import os
import random
import socket
import time

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, TextMessage
from wsproto.utilities import RemoteProtocolError

from tests.chaos.door import Door, Interrupted
from tests.system.visitor import Event

_TURN_SECONDS = 8.0
_PAUSE_SECONDS = 0.2


class BrokenStream(Exception):
    """Events came twice, or some are missing; the text says which."""


class Listener:
    """Reads events after `door.seen`, each once and none left out."""

    def __init__(self, door: Door, source: random.Random) -> None:
        self.door, self._random = door, source
        self.text = ""
        self.has_ended = False

    def read_until(self, mark: str, seconds: float) -> bool:
        """Whether the mark came before the session ended or the time was over; BrokenStream."""
        deadline = time.monotonic() + seconds
        while mark not in self.text and not self.has_ended and time.monotonic() < deadline:
            if self._random.random() < 0.5:
                self._read_socket(mark, deadline)
            else:
                self._poll()
        return mark in self.text

    def _poll(self) -> None:
        try:
            self.take(self.door.call("get_events", self.door.seen, seconds=30))
        except Interrupted as error:
            self._look(str(error))

    def _look(self, why: str) -> None:
        """The session may be gone for good, or the server for a moment."""
        # Code 4: another process, which does not know us. 21: failed or ended.
        self.has_ended = "'code': 4," in why or "'code': 21," in why
        time.sleep(_PAUSE_SECONDS)

    def _read_socket(self, mark: str, deadline: float) -> None:
        until = min(deadline, time.monotonic() + self._random.uniform(0.1, _TURN_SECONDS))
        try:
            with _connect(self.door) as stream:
                self._read_frames(stream, mark, until)
        except (OSError, RemoteProtocolError) as error:
            self._look(str(error))
            # Whether the session still knows us is told by a poll only.
            self._poll()

    def _read_frames(self, stream: socket.socket, mark: str, until: float) -> None:
        data, text = _head(stream), ""
        frames = Connection(ConnectionType.CLIENT)
        while not self.has_ended and mark not in self.text and time.monotonic() < until:
            frames.receive_data(data or None)
            for event in frames.events():
                if isinstance(event, CloseConnection):
                    return
                if isinstance(event, TextMessage):
                    text = self._add(event, text)
            stream.settimeout(max(0.01, until - time.monotonic()))
            try:
                data = stream.recv(1 << 16)
            except TimeoutError:
                return
            if not data:
                return

    def _add(self, message: Message[str], before: str) -> str:
        text = before + message.data
        if not message.message_finished:
            return text
        self.take(json.loads(text))
        return ""

    def take(self, events: list[Event]) -> None:
        """Read these; BrokenStream."""
        for event in events:
            if event["type"] == "events_dropped":
                raise BrokenStream(f"events were dropped: {event['data']}")
            if event["id"] != self.door.seen + 1:
                raise BrokenStream(f"event {event['id']} came after {self.door.seen}")
            self.door.visitor.seen = event["id"]
            if event["type"] == "console_write_output":
                self.text += event["data"]["text"]
            self.has_ended = self.has_ended or event["type"] == "quit"


def _connect(door: Door) -> socket.socket:
    visitor = door.visitor
    host = f"127.0.0.1:{visitor.port}"
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    stream = socket.create_connection(("127.0.0.1", visitor.port), timeout=10)
    stream.sendall(
        f"GET {visitor.session_path}events?clientId={visitor.client_id}&after={visitor.seen} HTTP/1.1\r\n"
        f"Host: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
        f"Cookie: {cookies}\r\n\r\n".encode()
    )
    return stream


def _head(stream: socket.socket) -> bytes:
    """The bytes after the head of the answer; ConnectionError when it is no WebSocket."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            raise ConnectionError("the handshake was cut off")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(head.partition(b"\r\n")[0].decode("ascii", "replace"))
    return rest

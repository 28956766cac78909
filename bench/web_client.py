"""A light HTTP and WebSocket client for latencies: kept connections, prepared requests, answers barely parsed.

`cost` tells what the client itself takes: the same exchange with a thread that answers at once.
"""

import base64
import json
import multiprocessing
import multiprocessing.process
import os
import re
import socket
import statistics
import struct
import threading
import time
from typing import Any

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *(\d+)\r\n")
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n"


class KeptConnection:
    """One connection to a port of 127.0.0.1, for one request after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, which must have a length."""
        self._socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        found = _LENGTH.search(head + b"\r\n")
        length = int(found.group(1)) if found else 0
        while len(body) < length:
            body += self._receive()
        return int(head[9:12]), body

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _receive(self) -> bytes:
        data = self._socket.recv(262144)
        if not data:
            message = "the server closed the connection"
            raise ConnectionError(message)
        return data


class EventSocket:
    """A WebSocket client."""

    def __init__(self, port: int, path: str, cookie: str = "", *fields: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = bytearray()
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            request_head("GET", path, port, cookie)
            + "".join(f"{field}\r\n" for field in fields).encode()
            + f"Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._data:
            self._fill()
        head, _, rest = bytes(self._data).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head.decode("latin-1"))
        self._data[:] = rest

    def send_text(self, text: str) -> None:
        """One masked text message of less than 64 KiB."""
        data = text.encode()
        length = (
            struct.pack(">BB", 0x81, 0x80 | len(data))
            if len(data) < 126
            else struct.pack(">BBH", 0x81, 0xFE, len(data))
        )
        self._socket.sendall(length + b"\0\0\0\0" + data)

    def next_message(self) -> bytes:
        """The payload of the next message; pings are answered."""
        whole = b""
        while True:
            first, payload = self._frame()
            if first & 0x0F == 0x09:
                self._socket.sendall(b"\x8a\x80\0\0\0\0")
            if first & 0x08:
                continue
            whole += payload
            if first & 0x80:
                return whole

    def wait_for(self, marker: bytes) -> bytes:
        """The next message that contains marker."""
        while marker not in (message := self.next_message()):
            pass
        return message

    def events(self) -> list[dict[str, Any]]:
        """The next message decoded."""
        decoded: list[dict[str, Any]] = json.loads(self.next_message())
        return decoded

    def reader_process(self) -> multiprocessing.process.BaseProcess:
        """A process that takes what arrives from now on, as a browser would; the stream is of no use here any more."""
        return multiprocessing.get_context("fork").Process(target=_discard, args=(self._socket,), daemon=True)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _frame(self) -> tuple[int, bytes]:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return first, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._data) < count:
            self._fill()
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken

    def _fill(self) -> None:
        data = self._socket.recv(262144)
        if not data:
            message = "the event stream ended"
            raise ConnectionError(message)
        self._data += data


def request_head(method: str, path: str, port: int, cookie: str = "") -> bytes:
    """Request line and the headers of every request, without the empty line."""
    return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n").encode()


def get(path: str, port: int, cookie: str = "") -> bytes:
    """A whole GET request."""
    return request_head("GET", path, port, cookie) + b"\r\n"


def cost(count: int = 2000) -> tuple[float, float]:
    """Median and 99th percentile in ms of this client's exchange with a thread that answers at once."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_answer_at_once, args=(listener,), daemon=True).start()
    port = listener.getsockname()[1]
    connection, request = KeptConnection(port), get("/ping", port)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        connection.exchange(request)
        times.append((time.perf_counter() - started) * 1000)
    connection.close()
    listener.close()
    return statistics.median(times), sorted(times)[int(count * 0.99)]


def _discard(stream: socket.socket) -> None:
    stream.settimeout(None)
    while stream.recv(1 << 20):
        pass


def _answer_at_once(listener: socket.socket) -> None:
    stream, _ = listener.accept()
    with stream:
        while stream.recv(65536):
            stream.sendall(_ANSWER)

"""A real data plane on a real loop, a client on a real socket, and a session that says what the test tells it to."""

import asyncio
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from zope.interface import implementer

from rserver.proxy.data_plane import DataPlane
from rserver.proxy.implementation import IS_COMPILED
from rserver.proxy.settings import FrontSettings
from rserver.web.request import (
    ANONYMOUS,
    Authentication,
    Identity,
    Request,
    RequestHead,
    Response,
    Target,
)
from rserver.web.responses import html, rpc_error
from rserver.web.static_files import StaticFiles

SID = "abcdecfc78a3112345678"
OTHER_SID = "abcdecfc78a3187654321"
LIMIT_SECONDS = 20
T = TypeVar("T")

COOKIE = "Cookie: user-id=alice; rs-csrf-token=abc"
TOKEN = "X-RS-CSRF-Token: abc"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Origin: http://here", "Sec-WebSocket-Key: x")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Wire:
    """A blocking socket with a time limit and a reader of HTTP."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(LIMIT_SECONDS)
        self._ahead = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Close so that the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def head(self) -> bytes:
        """Up to the next empty line, with it."""
        while b"\r\n\r\n" not in self._ahead:
            data = self.sock.recv(65536)
            assert data, f"closed within a head: {self._ahead!r}"
            self._ahead += data
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def head_or_nothing(self) -> bytes:
        """A head, or nothing when the other side closed before it."""
        try:
            return self.head()
        except AssertionError:
            return b""

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._ahead) < size:
            data = self.sock.recv(65536)
            assert data, f"closed after {self._ahead!r}"
            self._ahead += data
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def skip(self, size: int) -> None:
        """Read so many bytes without keeping them."""
        size -= len(self.exactly(min(size, len(self._ahead))))
        buffer = bytearray(1 << 18)
        while size:
            count = self.sock.recv_into(buffer, min(size, len(buffer)))
            assert count, f"closed, {size} bytes missing"
            size -= count

    def to_end(self) -> bytes:
        """Everything until the other side closes (or resets)."""
        data = self._ahead
        while True:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return data
            if not more:
                return data
            data += more

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """An answer with a length: status, fields, body."""
        status, fields = self.status_and_fields()
        return status, fields, self.exactly(int(fields.get("content-length", 0)))

    def status_and_fields(self) -> tuple[int, dict[str, str]]:
        """The head of an answer."""
        first, *lines = self.head().decode("latin-1").split("\r\n")
        parts = (line.partition(": ") for line in lines if line)
        return int(first.split(" ")[1]), {name.lower(): value for name, _, value in parts}

    def silent(self, seconds: float = 0.05) -> bool:
        """Nothing comes for this long."""
        self.sock.settimeout(seconds)
        try:
            return not self._ahead and not self.sock.recv(1, socket.MSG_PEEK) and False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(LIMIT_SECONDS)


class Session:
    """The listening socket of a session; the test accepts and speaks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.settimeout(LIMIT_SECONDS)
        self.listener.bind(path)
        self.listener.listen(128)
        self._wires: list[Wire] = []
        self.stopped = False

    def accept(self) -> Wire:
        """The next connection."""
        self._wires.append(Wire(self.listener.accept()[0]))
        return self._wires[-1]

    def close_all_comers(self) -> None:
        """Accept and close until stop_accepting."""
        while not self.stopped:
            self.listener.accept()[0].close()

    def stop_accepting(self) -> None:
        """Tell who accepts to stop."""
        self.stopped = True
        self.connect().close()

    def shrink_backlog(self) -> None:
        """Let the kernel refuse a connection when one is waiting already."""
        self.listener.listen(0)

    def listen_as(self, uid: int) -> None:
        """Let a process of this uid call listen, as sessions do."""
        code = f"import socket; socket.socket(fileno={self.listener.fileno()}).listen(128)"
        command = ["/usr/bin/python3", "-c", code]
        subprocess.run(command, user=uid, pass_fds=[self.listener.fileno()], check=True, cwd="/")

    def connect(self) -> Wire:
        """Take a place in the backlog."""
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        with suppress(BlockingIOError):
            sock.connect(self.path)
        return Wire(sock)

    def nobody_comes(self, seconds: float = 0.05) -> bool:
        """No connection is made for this long."""
        self.listener.settimeout(seconds)
        try:
            self.accept()
        except TimeoutError:
            return True
        finally:
            self.listener.settimeout(LIMIT_SECONDS)
        return False

    def forget(self) -> None:
        """Drop the connections accepted so far."""
        self._wires.clear()

    def close(self) -> None:
        """End the process that would be behind this socket."""
        self.listener.close()
        for wire in self._wires:
            wire.close()


class Gate:
    """Everybody with a user-id cookie is in; sessions are where the test puts them."""

    def __init__(self) -> None:
        self.targets: dict[str, Target | Response | Callable[[], Awaitable[Target | Response]]] = {}
        self.renewal: tuple[str, ...] = ()

    def authenticate(self, head: RequestHead) -> Authentication:
        user = head.cookies.get("user-id")
        return Authentication(Identity(user, os.getuid()), self.renewal) if user else ANONYMOUS

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        found = self.targets.get(session_id) or rpc_error(14, "There is no such session.")
        return found() if callable(found) else found


class Pages:
    """Answers every page with what was asked; `answers` holds special ones by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Request], Awaitable[Response]]] = {}

    async def handle(self, request: Request) -> Response:
        special = self.answers.get(request.path)
        if special is not None:
            return await special(request)
        who = request.identity.user if request.identity else "nobody"
        return html(f"{request.method} {request.path} {who} {len(request.body)}")

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        return html(f"error page: {message}", status)


class Events:
    """Writes down what the front reports."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []
        self._changed = threading.Condition()

    def connected(self, session_id: str) -> None:
        self._add("connected")

    def disconnected(self, session_id: str) -> None:
        self._add("disconnected")

    def first_byte(self, session_id: str) -> None:
        self._add("first_byte")

    def failed(self, session_id: str, reason: str) -> None:
        self._add("failed", reason)

    def wait_for(self, name: str, count: int = 1) -> None:
        """Until so many events of this name were seen."""
        with self._changed:
            enough = self._changed.wait_for(lambda: self.count(name) >= count, LIMIT_SECONDS)
        assert enough, f"{self.seen} has fewer than {count} {name}"

    def count(self, name: str) -> int:
        """How many events of this name were seen."""
        return [event[0] for event in self.seen].count(name)

    def _add(self, *event: str) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()


class World:
    """All of it together. The plane's loop runs in a thread of its own."""

    def __init__(self, folder: Path, settings: FrontSettings, compiled: bool) -> None:
        self.gate, self.pages, self.events = Gate(), Pages(), Events()
        self.session = Session(str(folder / "session.sock"))
        self.target = Target(self.session.path, os.getuid(), (("X-RS-User", "alice"),))
        self.gate.targets[SID] = self.target
        self.closed: Response | None = None
        self.log: list[str] = []
        self.folder = folder
        self._settings = settings
        self._compiled = compiled
        self._loop = uvloop.new_event_loop()
        self._loop.set_exception_handler(lambda _, context: self.log.append(repr(context)))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._clients: list[Wire] = []

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        static = StaticFiles({"static": self.folder / "static"})
        self.plane = DataPlane(
            self._loop,
            self._settings,
            self.gate,
            self.pages,
            self.events,
            static,
            lambda _: self.closed,
            lambda token: token == "good",
            self._compiled,
        )
        self.listen_with(None)

    def listen_with(self, tls: ssl.SSLContext | None) -> None:
        """Listen on one more port, which clients connect to from now on."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.run(self.plane.listen(listener, tls))

    def stop(self) -> None:
        """Close everything that is left."""
        for client in self._clients:
            client.close()
        self.run(self.plane.stop(0.5))
        self.session.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_SECONDS)
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run this on the plane's loop."""
        return self.begin(coroutine).result(LIMIT_SECONDS)

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin this on the plane's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, function: Callable[[], T]) -> T:
        """Call this on the plane's loop."""

        async def called() -> T:
            return function()

        return self.run(called())

    def until(self, condition: Callable[[], bool]) -> None:
        """Until this holds on the plane's loop."""
        give_up = time.monotonic() + LIMIT_SECONDS
        while not self.call(condition):
            assert time.monotonic() < give_up, "the condition never held"

    def client(self, receive_buffer: int = 0) -> Wire:
        """A new connection."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client = Wire(sock)
        self._clients.append(client)
        sock.connect(self.address)
        return client

    def ask(self, path: str, *fields: str, method: str = "GET", body: bytes = b"", wire: Wire | None = None) -> Wire:
        """Send a request of a signed-in user for the session (path without the prefix) on a new connection."""
        client = wire or self.client()
        client.send(request(f"/s/{SID}{path}", *fields, method=method, body=body))
        return client

    def forget(self) -> None:
        """Drop the ends that the test is done with."""
        self._clients.clear()
        self.session.forget()

    def open_websocket(self) -> tuple[Wire, Wire]:
        """A joined pair: client's end, session's end."""
        client = self.ask("/events", *UPGRADE)
        end = self.session.accept()
        assert b"upgrade: websocket" in end.head()
        end.send(SWITCHED)
        assert client.status_and_fields()[0] == 101
        return client, end


def request(target: str, *fields: str, method: str = "GET", body: bytes = b"", version: str = "1.1") -> bytes:
    """A request of a signed-in user."""
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = [f"{method} {target} HTTP/{version}", "Host: here", COOKIE, TOKEN, *length, *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@contextmanager
def running_world(
    folder: Path, settings: FrontSettings, expect_log: bool = False, compiled: bool = IS_COMPILED
) -> Iterator[World]:
    """A world; its log must stay silent unless something is expected."""
    world = World(folder, settings, compiled)

    @implementer(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.warn:
            world.log.append(str(event.get("log_failure") or event["log_format"]))

    globalLogPublisher.addObserver(observe)
    world.start()
    try:
        yield world
    finally:
        world.stop()
        globalLogPublisher.removeObserver(observe)
    assert expect_log or world.log == []

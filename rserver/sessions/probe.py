"""Asks a session's socket `GET /ping`: the connect waits in the keeper's backlog until the session listens."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred

from rserver_core import peer_credentials
from rserver_core.launch_wire import SessionRecord

_REQUEST = b"GET /ping HTTP/1.1\r\nHost: session\r\nConnection: close\r\n\r\n"
_GOOD = b"HTTP/1.1 200 "


class NoAnswer(OSError):
    """The session closed the connection without a good answer, or somebody else listens."""


class SocketProbe:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord) -> "Deferred[None]":
        """Fires when the session answered; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record), loop=self._loop()))

    async def _ask(self, record: SessionRecord) -> None:
        loop = self._loop()
        answered: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_unix_connection(lambda: _Ping(record.uid, answered), record.socket)
        try:
            await answered
        finally:
            transport.abort()


class _Ping(asyncio.Protocol):
    def __init__(self, uid: int, answered: "asyncio.Future[None]") -> None:
        self._uid, self._answered, self._head = uid, answered, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        if peer_uid(transport.get_extra_info("socket")) in {self._uid, 0}:
            transport.write(_REQUEST)
        else:
            self._fail("somebody else listens there")

    def data_received(self, data: bytes) -> None:
        self._head += data
        if len(self._head) < len(_GOOD) or self._answered.done():
            return
        if self._head.startswith(_GOOD):
            self._answered.set_result(None)
        else:
            self._fail(f"answered {self._head[:40]!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("closed the connection")

    def _fail(self, why: str) -> None:
        if not self._answered.done():
            self._answered.set_exception(NoAnswer(why))


def peer_uid(sock: socket.socket) -> int:
    """The uid of the process that listens at the other end of a Unix socket."""
    return peer_credentials.uid_of(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE))

"""Accepts connections of the server and of the own user on the session's Unix socket."""

import socket
from typing import TYPE_CHECKING

from twisted.internet import interfaces, protocol
from twisted.logger import Logger

from rserver_core import peer_credentials
from rsession.http_connection import HttpConnection, Site
from rsession.open_files import MAX_CONNECTIONS, raise_limit

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IReactorTime

BACKLOG = 1024

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_log = Logger()


def listen_again(descriptor: int) -> None:
    """Listen on the inherited socket, so that its peers see this process behind it; raises OSError."""
    with socket.socket(fileno=descriptor) as inherited:
        inherited.set_inheritable(False)
        inherited.setblocking(False)
        inherited.listen(BACKLOG)
        inherited.detach()


class _Refusal(protocol.Protocol):
    """Says nothing, or that there is no room."""

    def __init__(self, farewell: bytes) -> None:
        self._farewell = farewell

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._farewell)
        self.transport.loseConnection()


class _CheckedConnection(HttpConnection):
    """Closes when the peer is not one of the allowed users."""

    allowed_uids: frozenset[int] = frozenset()

    def connectionMade(self) -> None:
        uid = self._peer_uid()
        if uid in self.allowed_uids:
            super().connectionMade()
        else:
            _log.warn("refused a connection of user {uid}", uid=uid)
            interfaces.ITCPTransport(self.transport).abortConnection()

    def _peer_uid(self) -> int:
        credentials = self.transport.socket.getsockopt(  # type: ignore[union-attr]
            socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE
        )
        return peer_credentials.uid_of(credentials)


class HttpServer(protocol.Factory):
    """Makes at most 1280 connections at a time, fewer where few files may be open."""

    noisy = False

    def __init__(self, site: Site, clock: "IReactorTime", allowed_uids: frozenset[int]) -> None:
        self._site = site
        self._clock = clock
        self._allowed_uids = allowed_uids
        self._connections: set[HttpConnection] = set()
        # Half of the files that this process may open are left to R.
        self._max_connections = min(MAX_CONNECTIONS, raise_limit() // 2)

    def buildProtocol(self, addr: "IAddress | None") -> protocol.Protocol:
        """A connection, or the answer 503 when there are too many."""
        if len(self._connections) >= self._max_connections:
            return _Refusal(_BUSY)
        connection = _CheckedConnection(self._site, self._clock, self._connections.discard)
        connection.allowed_uids = self._allowed_uids
        self._connections.add(connection)
        return connection

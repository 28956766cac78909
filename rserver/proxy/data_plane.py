"""The data plane of one worker, put together: listeners, connections, and what the rest of the worker may ask of it."""

import asyncio
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

from twisted.logger import Logger

from rserver.proxy.client import Exchange
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.dispatch import Dispatcher
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.proxy.https_redirect import HttpsRedirect
from rserver.proxy.pool import Pool
from rserver.proxy.services import Closed, Services
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Gate, Pages, SessionEvents
from rserver.web.responses import ResponseEncoder
from rserver.web.static_files import StaticFiles

_BACKLOG = 1024
# Half-open connections are noticed after about two minutes.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Descriptors left for everything else; a proxied connection needs two.
_RESERVED_DESCRIPTORS = 64

Begin = Callable[[Front, RequestLine], Exchange | None]
"""Begins the answer to a request, or gives it."""


class DataPlane:
    """Carries every request. Implements FrontControl. Made and used on the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: FrontSettings,
        gate: Gate,
        pages: Pages,
        events: SessionEvents,
        static: StaticFiles,
        closed: Closed = lambda head: None,
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._deadlines = Deadlines(loop, settings.tick_seconds)
        self._pool = Pool(settings, loop, self._deadlines)
        self._encoder = ResponseEncoder(settings.frame_origin, settings.add_headers)
        self._services = Services(settings, loop, gate, pages, events, self._deadlines, self._pool, Logger(), closed)
        self._dispatcher = Dispatcher(self._services, static)
        self._fronts: set[Front] = set()
        self._servers: list[asyncio.Server] = []
        self._empty = asyncio.Event()
        self._most = max(8, min(settings.max_connections, (_all_descriptors() - _RESERVED_DESCRIPTORS) // 2))

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve a bound TCP (or Unix) socket."""
        await self._listen(sock, lambda: self._accept(self._dispatcher.begin, self._encoder), tls)

    async def listen_for_redirects(self, sock: socket.socket, port: int) -> None:
        """Send who comes to this socket to HTTPS at port."""
        # What only counts over TLS is not said here.
        encoder = ResponseEncoder(self._settings.frame_origin, ())
        redirect = HttpsRedirect(port)
        await self._listen(sock, lambda: self._accept(redirect.begin, encoder), None)

    async def _listen(
        self, sock: socket.socket, accept: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None
    ) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            # Accepted connections inherit these.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        limit = self._settings.head_seconds if tls else None
        server = await self._loop.create_server(
            accept, sock=sock, backlog=_BACKLOG, ssl=tls, ssl_handshake_timeout=limit
        )
        self._servers.append(server)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Accept nothing more, let running requests end within the grace, then break off what is left."""
        for server in self._servers:
            server.close()
        for front in list(self._fronts):
            front.close_idle()
        if self._fronts:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace_seconds)
        for front in list(self._fronts):
            front.abort()
        for live in list(self._services.live):
            live.close()
        self._pool.close_all()
        self._deadlines.stop()

    @property
    def connections(self) -> int:
        """Client connections that speak HTTP now (WebSockets no longer do)."""
        return len(self._fronts)

    @property
    def carried(self) -> int:
        """Requests and WebSockets on their way to sessions."""
        return len(self._services.live)

    def close_user(self, user: str) -> int:
        """See FrontControl."""
        found = list(self._services.live_of_user(user))
        for live in found:
            live.close()
        return len(found)

    def close_session(self, session_id: str) -> int:
        """See FrontControl."""
        found = list(self._services.live_of_session(session_id))
        for live in found:
            live.close()
        return len(found)

    def close_all(self) -> int:
        """Break off everything that is carried to sessions; how much that was."""
        found = list(self._services.live)
        for live in found:
            live.close()
        return len(found)

    def listeners(self) -> Mapping[str, int]:
        """See FrontControl."""
        return Counter(live.session_id for live in self._services.live if live.listens)

    def _accept(self, begin: Begin, encoder: ResponseEncoder) -> asyncio.Protocol:
        if len(self._fronts) + len(self._services.live) >= self._most:
            return _Refusing()
        self._empty.clear()
        front = Front(self._settings, encoder, self._deadlines, begin, self._gone)
        self._fronts.add(front)
        return front

    def _gone(self, front: Front) -> None:
        self._fronts.discard(front)
        if not self._fronts:
            self._empty.set()


def _all_descriptors() -> int:
    """Raises the soft limit to the hard one; every client and every session takes a descriptor."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class _Refusing(asyncio.Protocol):
    """What a connection meets when there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(_BUSY)
        transport.close()

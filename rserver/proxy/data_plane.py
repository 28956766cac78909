"""The data plane of one worker, put together: listeners, connections, and what the rest of the worker may ask of it."""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from twisted.logger import Logger

from rserver.proxy.acceptor import Acceptor
from rserver.proxy.admission import Admission
from rserver.proxy.carried import Carried, Live
from rserver.proxy.carrying_front import CarryingFront, Requests
from rserver.proxy.client import Exchange
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.dispatch import Dispatcher
from rserver.proxy.first_byte import is_plain_text
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.proxy.https_redirect import HttpsRedirect
from rserver.proxy.implementation import IS_COMPILED, make_carrier
from rserver.proxy.overload import FEW_REFUSED, MOST_REFUSED, Refusing, hasty
from rserver.proxy.pool import Pool
from rserver.proxy.services import Closed, KnowsToken, Services
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Gate, Pages, SessionEvents
from rserver.web.responses import ResponseEncoder
from rserver.web.static_files import StaticFiles

_BACKLOG = 1024
# Half-open connections are noticed after about two minutes.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
# Descriptors left for everything else. A connection needs one, another for its session, and that one may be kept idle.
_RESERVED_DESCRIPTORS = 160
_PER_CONNECTION = 3

Begin = Callable[[Front, RequestLine], Exchange | None]
"""Begins the answer to a request, or gives it."""


class Door(NamedTuple):
    """What stands behind one listening socket."""

    begin: Begin
    encoder: ResponseEncoder
    tls: ssl.SSLContext | None
    requests: Requests | None = None


class DataPlane:
    """Carries every request. Implements FrontControl. Made and used on the loop's thread.

    is_ahead: told how many connections there are, says whether another worker should take the next one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: FrontSettings,
        gate: Gate,
        pages: Pages,
        events: SessionEvents,
        static: StaticFiles,
        closed: Closed = lambda head: None,
        knows_token: KnowsToken = lambda token: False,
        compiled: bool = IS_COMPILED,
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._deadlines = Deadlines(loop, settings.tick_seconds)
        live = Carried()
        self._carrier = carrier = make_carrier(loop, settings, events, live.counts, compiled)
        self._pool = pool = Pool(settings, loop, self._deadlines, carrier)
        self._encoder = ResponseEncoder(settings.frame_origin, settings.add_headers)
        # What only counts over TLS is not said in clear.
        self._plain_encoder = ResponseEncoder(settings.frame_origin, ())
        self._services = Services(
            settings, loop, gate, pages, events, self._deadlines, pool, carrier, Logger(), closed, knows_token, live
        )
        self._dispatcher = Dispatcher(self._services, static)
        self._fronts: dict[Front, Callable[[], None]] = {}
        self._acceptors: list[Acceptor] = []
        self._arriving: dict[Front, asyncio.Task[None]] = {}
        self._refusing = Refusing(self._drop)
        self._hasty = hasty(settings)
        self._empty = asyncio.Event()
        self.is_ahead: Callable[[int], bool] = lambda connections: False
        most = (_all_descriptors() - _RESERVED_DESCRIPTORS) // _PER_CONNECTION
        self._services.connections = Admission(max(8, min(settings.max_connections, most)), settings.max_per_address)

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve a bound TCP (or Unix) socket."""
        self._listen(sock, Door(self._dispatcher.begin, self._encoder, tls, self._dispatcher))

    async def listen_as(
        self, sock: socket.socket, begin: Callable[[Services], Begin], tls: ssl.SSLContext | None = None
    ) -> None:
        """Serve a bound TCP socket with another door's answers. begin: makes them from what all connections use."""
        self._listen(sock, Door(begin(self._services), self._encoder, tls))

    async def listen_for_redirects(self, sock: socket.socket, port: int) -> None:
        """Send who comes to this socket to HTTPS at port."""
        self._listen(sock, Door(HttpsRedirect(port).begin, self._plain_encoder, None))

    def _listen(self, sock: socket.socket, door: Door) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            # Accepted connections inherit these.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        sock.listen(_BACKLOG)
        self._acceptors.append(Acceptor(self._loop, sock, partial(self._met, door), self._yields))

    def _yields(self) -> bool:
        return self.is_ahead(len(self._services.connections))

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Accept nothing more, let running requests end within the grace, then break off what is left."""
        while self._acceptors:
            self._acceptors.pop().close()
        for task in list(self._arriving.values()):
            task.cancel()
        for front in self._fronts.keys() - self._arriving.keys():
            front.close_idle()
        if self._fronts:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace_seconds)
        for front in list(self._fronts):
            self._drop(front)
        for live in list(self._services.live):
            live.close()
        self._dispatcher.stop()
        self._pool.close_all()
        self._carrier.close()
        self._deadlines.stop()

    @property
    def connections(self) -> int:
        """Client connections that speak HTTP now (WebSockets no longer do)."""
        return len(self._fronts)

    @property
    def carried(self) -> int:
        """Requests and WebSockets on their way to sessions."""
        return len(self._services.live) + self._carrier.busy

    def close_user(self, user: str) -> int:
        """See FrontControl."""
        return self._close(self._services.live.of_user(user)) + self._carrier.abandon(user=user)

    def close_session(self, session_id: str) -> int:
        """See FrontControl."""
        return self._close(self._services.live.of_session(session_id)) + self._carrier.abandon(session_id=session_id)

    def close_join(self, session_id: str, host_id: str) -> int:
        """See FrontControl."""
        return self._close(self._services.live.of_join(session_id, host_id))

    def forget(self) -> None:
        """Every caller and every session is asked about anew, from the next request on."""
        self._carrier.forget()

    def close_all(self) -> int:
        """Break off everything that is carried to sessions; how much that was."""
        return self._close(self._services.live) + self._carrier.abandon()

    def _close(self, lives: Iterable[Live]) -> int:
        self.forget()
        found = list(lives)
        for live in found:
            live.close()
        return len(found)

    def listeners(self) -> Mapping[str, int]:
        """See FrontControl."""
        return self._services.live.listeners()

    def _met(self, door: Door, sock: socket.socket, address: str, is_plenty: bool) -> None:
        """A connection has been made."""
        # Who comes over a Unix socket is our own nginx.
        counted = bool(address) and address not in self._settings.trusted_proxies
        if is_plenty and self._services.connections.may_enter(address, counted=counted):
            front = self._front(door)
            left = partial(self._services.connections.leave, address)
            self._services.connections.enter(address)
        else:
            front = Front(self._hasty, door.encoder, self._deadlines, self._dispatcher.refuse, self._gone)
            left = partial(self._refusing.leave, front)
            self._refusing.enter(front, MOST_REFUSED if is_plenty else FEW_REFUSED)
        self._empty.clear()
        self._fronts[front] = left
        task = self._loop.create_task(self._open(front, sock, door.tls))
        self._arriving[front] = task
        task.add_done_callback(lambda _: self._arriving.pop(front, None))

    def _front(self, door: Door) -> Front:
        if door.requests is None:
            return Front(self._settings, door.encoder, self._deadlines, door.begin, self._gone)
        lane = self._carrier.lane
        return CarryingFront(self._settings, door.encoder, self._deadlines, door.requests, self._gone, lane)

    async def _open(self, front: Front, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        try:
            # Named step by step: until the handshake is over nobody tells the front of its end.
            if tls is None:
                await self._carrier.attach(sock, front)
            else:
                await self._open_tls(front, sock, tls)
        except (OSError, TimeoutError, asyncio.CancelledError):
            sock.close()
            self._gone(front)

    async def _open_tls(self, front: Front, sock: socket.socket, tls: ssl.SSLContext) -> None:
        seconds = self._settings.head_seconds
        if await is_plain_text(self._loop, sock, seconds):
            front.answer_once(HttpsRedirect(None).begin, self._plain_encoder)
            await self._loop.connect_accepted_socket(lambda: front, sock)
        else:
            await self._loop.connect_accepted_socket(lambda: front, sock, ssl=tls, ssl_handshake_timeout=seconds)

    def _drop(self, front: Front) -> None:
        task = self._arriving.get(front)
        if task is None:
            front.abort()
        else:
            task.cancel()

    def _gone(self, front: Front) -> None:
        left = self._fronts.pop(front, None)
        if left is not None:
            left()
        if not self._fronts:
            self._empty.set()


def _all_descriptors() -> int:
    """Raises the soft limit to the hard one; every client and every session takes a descriptor."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard

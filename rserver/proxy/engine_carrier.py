"""Bytes moved by the compiled engine, within the event loop and on its thread."""

import asyncio
import socket
from collections.abc import Callable

from rserver.proxy._native import Connection, Engine
from rserver.proxy.carrier import Lane
from rserver.proxy.forward import OWN_COOKIES
from rserver.proxy.router import PYTHON_PATHS
from rserver.proxy.settings import FrontSettings
from rserver.web.request import SessionEvents

_TICK_SECONDS = 1.0


class EngineCarrier:
    """See Carrier."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: FrontSettings, events: SessionEvents, others: dict[str, int]
    ) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._engine = Engine(
            call_soon=loop.call_soon,
            broken=self._broken,
            events=events,
            ticks=self._plan_tick,
            root_path=settings.root_path.encode("latin-1"),
            refused=tuple(path.encode("latin-1") for path in PYTHON_PATHS),
            own_cookies=tuple(name.encode("latin-1") for name in sorted(OWN_COOKIES)),
            verdict_seconds=settings.verdict_seconds,
            idle_seconds=max(1, round(settings.pool_idle_seconds)),
            spare_limit=settings.pool_size,
            spare_total=settings.pool_total,
            user_limit=settings.max_per_user,
            others=others,
        )
        loop.add_reader(self._engine.fileno(), self._engine.run)

    @property
    def busy(self) -> int:
        """See Carrier."""
        return self._engine.busy

    async def attach(self, sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
        """See Carrier."""
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self._engine.attach(sock.detach(), protocol)

    def carried_for(self, user: str) -> int:
        """See Carrier."""
        return self._engine.count_busy(user)

    def keep(self, path: str, uid: int, transport: asyncio.Transport) -> bool:
        """See Carrier."""
        if not isinstance(transport, Connection):
            return False
        self._engine.keep(transport, path, uid)
        return True

    def take(self, path: str, uid: int, protocol: asyncio.BaseProtocol) -> bool:
        """See Carrier."""
        return self._engine.take(path, uid, protocol)

    @property
    def kept(self) -> int:
        """See Carrier."""
        return self._engine.spares

    def lane(self, transport: asyncio.BaseTransport) -> Lane | None:
        """See Carrier."""
        return transport if isinstance(transport, Connection) else None

    def join(self, client: asyncio.Transport, session: asyncio.Transport, ended: Callable[[], None]) -> bool:
        """See Carrier."""
        if not (isinstance(client, Connection) and isinstance(session, Connection)):
            return False
        if client.is_closing() or session.is_closing():
            return False
        self._engine.join(client, session, ended)
        return True

    def forget(self) -> None:
        """See Carrier."""
        self._engine.forget()

    def abandon(self, user: str | None = None, session_id: str | None = None) -> int:
        """See Carrier."""
        return self._engine.abandon(user, session_id)

    def close(self) -> None:
        """See Carrier."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._engine.fileno())
            self._engine.close()

    def _plan_tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._engine.tick():
            self._plan_tick()

    def _broken(self, error: BaseException) -> None:
        self._loop.call_exception_handler({"message": "a protocol of the proxy failed", "exception": error})

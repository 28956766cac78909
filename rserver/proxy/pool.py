"""Idle connections to sessions, kept for the next request, and how new ones are made."""

import asyncio
import socket
from contextlib import suppress

from rserver.proxy.back import Back
from rserver.proxy.carrier import Carrier
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Target
from rserver_core import peer_credentials

_BACKLOG_RETRY_SECONDS = 0.02


class Unreachable(Exception):
    """A session's socket cannot be reached; the text says why, for the log."""


class Pool:
    """Connections by socket path and expected uid: what is idle is only ever used for the same session again."""

    def __init__(
        self, settings: FrontSettings, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, carrier: Carrier
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._deadlines = deadlines
        self._carrier = carrier
        self._idle: dict[tuple[str, int], list[Back]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count + self._carrier.kept

    def take(self, target: Target) -> Back | None:
        """The idle connection that was used last, if there is one."""
        back = self._new(target)
        if self._carrier.take(*back.key, back):
            return back
        idle = self._idle.get(back.key)
        while idle:
            back = idle.pop()
            self._count -= 1
            self._deadlines.clear(back)
            if back.alive:
                return back
        return None

    async def connect(self, target: Target) -> Back:
        """A new connection. Unreachable: no socket, nobody listens, the backlog stays full, or a foreign peer."""
        back = self._new(target)
        sock = await self._connected_socket(target)
        try:
            await self._carrier.attach(sock, back)
        except BaseException:
            sock.close()
            raise
        if not back.alive:
            raise Unreachable("the session closed the connection at once")
        return back

    def close_all(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for back in idle:
                back.timed_out()

    def _new(self, target: Target) -> Back:
        return Back((target.socket_path, target.uid), self._keep, self._forget)

    def _keep(self, back: Back) -> None:
        if back.keep(self._carrier):
            return
        idle = self._idle.setdefault(back.key, [])
        if len(idle) >= self._settings.pool_size or self._count >= self._settings.pool_total:
            back.timed_out()
            return
        idle.append(back)
        self._count += 1
        self._deadlines.set(back, self._settings.pool_idle_seconds)

    def _forget(self, back: Back) -> None:
        self._deadlines.clear(back)
        idle = self._idle.get(back.key, [])
        with suppress(ValueError):
            idle.remove(back)
            self._count -= 1
        if not idle:
            self._idle.pop(back.key, None)

    async def _connected_socket(self, target: Target) -> socket.socket:
        give_up = self._loop.time() + self._settings.connect_seconds
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            try:
                sock.connect(target.socket_path)
                check_peer(sock, target.uid)
                return sock
            except BlockingIOError:
                sock.close()
                if self._loop.time() >= give_up:
                    raise Unreachable("the backlog of the session's socket is full") from None
            except (OSError, Unreachable) as error:
                sock.close()
                raise Unreachable(str(error)) from error
            await asyncio.sleep(_BACKLOG_RETRY_SECONDS)


def check_peer(sock: socket.socket, uid: int) -> None:
    """Unreachable unless the listener of this connected Unix socket runs as uid or root."""
    peer = peer_credentials.uid_of(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE))
    if peer not in {uid, 0}:
        raise Unreachable(f"the socket belongs to uid {peer}, not {uid}")

"""Bytes moved by the event loop's own transports: no request is carried without its exchange."""

import asyncio
import socket
from collections.abc import Callable

from rserver.proxy.carrier import Lane


class LoopCarrier:
    """See Carrier."""

    busy = kept = 0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    async def attach(self, sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
        """See Carrier."""
        await self._loop.connect_accepted_socket(lambda: protocol, sock)

    def carried_for(self, user: str) -> int:
        """See Carrier."""
        return 0

    def keep(self, path: str, uid: int, transport: asyncio.Transport) -> bool:
        """See Carrier."""
        return False

    def take(self, path: str, uid: int, protocol: asyncio.BaseProtocol) -> bool:
        """See Carrier."""
        return False

    def lane(self, transport: asyncio.BaseTransport) -> Lane | None:
        """See Carrier."""
        return None

    def join(self, client: asyncio.Transport, session: asyncio.Transport, ended: Callable[[], None]) -> bool:
        """See Carrier."""
        return False

    def forget(self) -> None:
        """See Carrier."""

    def abandon(self, user: str | None = None, session_id: str | None = None) -> int:
        """See Carrier."""
        return 0

    def close(self) -> None:
        """See Carrier."""

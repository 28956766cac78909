"""What moves the bytes of connections: the seam between the proxy and its two implementations."""

import asyncio
import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Lesson(NamedTuple):
    """How one request was answered, for others like it.

    before, after: lines a session gets in front of and behind the client's fields; path, uid: the session's socket.
    """

    before: bytes
    after: bytes
    path: str
    uid: int
    user: str
    session_id: str


class Lane(Protocol):
    """A client's transport that can carry requests by itself once it learnt how."""

    @property
    def wants_lesson(self) -> bool:
        """The request at hand would have been carried, had it been known how."""

    def has_carried(self) -> bool:
        """A request is carried now, or was since this was asked last."""

    def offer(self) -> None:
        """Requests may be carried until the protocol is given bytes again."""

    def withdraw(self) -> None:
        """Nothing is to be learnt from the request at hand."""

    def learn(self, before: bytes, after: bytes, path: str, uid: int, user: str, session_id: str, /) -> None:
        """See Lesson."""


class Carrier(Protocol):
    """Moves the bytes of one worker's connections."""

    @property
    def busy(self) -> int:
        """Requests carried to sessions without an exchange."""

    async def attach(self, sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
        """Give a connected socket to a protocol."""

    def carried_for(self, user: str) -> int:
        """Requests carried for this account without an exchange."""

    def keep(self, path: str, uid: int, transport: asyncio.Transport) -> bool:
        """Take over a session's connection that is between two requests; False: that is not done here."""

    def take(self, path: str, uid: int, protocol: asyncio.BaseProtocol) -> bool:
        """Give a session's connection that was kept to a protocol; False: there is none."""

    @property
    def kept(self) -> int:
        """How many connections are kept."""

    def lane(self, transport: asyncio.BaseTransport) -> Lane | None:
        """The transport, if it can carry requests by itself."""

    def join(self, client: asyncio.Transport, session: asyncio.Transport, ended: Callable[[], None]) -> bool:
        """Let bytes go both ways, call ended once when the first of the two is gone; False: not done here."""

    def forget(self) -> None:
        """Nothing that was learnt holds any more."""

    def abandon(self, user: str | None = None, session_id: str | None = None) -> int:
        """Break off what is carried for a user, a session or all; how many requests there were."""

    def close(self) -> None:
        """End what is left."""

"""After 101: bytes both ways, uninterpreted, each side as fast as the other reads."""

import asyncio
from collections.abc import Callable

from rserver.proxy.small_reads import SmallReads

Join = Callable[[asyncio.Transport, asyncio.Transport, Callable[[], None]], bool]
"""See Carrier.join."""


class _End(SmallReads):
    """One of two joined transports."""

    __slots__ = ("_ended", "_splice", "other", "transport")

    def __init__(self, transport: asyncio.Transport, splice: "Splice") -> None:
        self.transport = transport
        self.other: _End | None = None
        self._splice: Splice | None = splice
        self._ended = False

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Passes the end on; the other direction goes on until it ends too."""
        self._ended = True
        other = self.other
        if other is None or other._ended or other.transport.is_closing():
            return False
        if not other.transport.can_write_eof():
            return False  # TLS knows no half-closed connection
        other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        other, self.other = self.other, None
        splice, self._splice = self._splice, None
        if other is None or splice is None:
            return
        other.other = other._splice = None
        if exc is None:
            other.transport.close()
        else:
            other.transport.abort()
        splice.ended()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()


class Splice:
    """Joins two transports for one user and session; `when_ended` is called once, when the first of the two is gone."""

    __slots__ = ("_client", "_session", "_when_ended", "joins", "listens", "session_id", "user")

    def __init__(
        self,
        user: str,
        session_id: str,
        client: asyncio.Transport,
        session: asyncio.Transport,
        when_ended: Callable[["Splice"], None],
        listens: bool = False,
        joins: str = "",
    ) -> None:
        self.user = user
        self.session_id = session_id
        self.listens = listens
        self.joins = joins
        self._when_ended = when_ended
        self._client = client
        self._session = session

    def begin(self, join: Join, full: bool) -> None:
        """Let the bytes go; join does it without us where it can. full: the client must be waited for first."""
        client, session = self._client, self._session
        if join(client, session, self.ended):
            return
        one, two = _End(client, self), _End(session, self)
        one.other, two.other = two, one
        client.set_protocol(one)
        session.set_protocol(two)
        client.resume_reading()
        if full:
            session.pause_reading()
        else:
            session.resume_reading()

    def close(self) -> None:
        """End both sides now."""
        self._client.abort()

    def ended(self) -> None:
        """One side is gone."""
        self._when_ended(self)

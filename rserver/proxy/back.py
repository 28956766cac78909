"""One connection to a session: requests out, answers in, one after the other."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from rserver.proxy.body import BadBody, Body, UntilCloseBody, response_body
from rserver.proxy.carrier import Carrier
from rserver.proxy.http_head import BadHead, HeadBuffer, RequestLine, StatusLine
from rserver.proxy.implementation import parse_response
from rserver.proxy.small_reads import SmallReads

_INTERIM_LIMIT = 16


class BackUser(Protocol):
    """Whose request is on the connection. Nothing more is told after answer_end, switched or upstream_lost."""

    def answer_head(self, head: StatusLine, body: Body) -> None:
        """The final head of the answer; body tells how it is framed."""

    def answer_data(self, payload: bytes) -> None:
        """A piece of the answer's body, without framing."""

    def answer_end(self) -> None:
        """The answer is complete and the connection released."""

    def flush(self) -> None:
        """All that was read is handed over: a time to write."""

    def switched(self, head: StatusLine) -> None:
        """The session answered 101; `detach` gives the transport."""

    def upstream_full(self, full: bool) -> None:
        """The session reads more slowly than we write, or does no longer."""

    def upstream_lost(self, reason: str) -> None:
        """The connection ended before the answer did."""


class Back(SmallReads):
    """Session side of the proxy. `released` gets it after each exchange that left it clean, `closed` at its end."""

    __slots__ = (
        "_body",
        "_closed",
        "_heads",
        "_interim",
        "_method",
        "_released",
        "_request_sent",
        "_reusable",
        "_transport",
        "_user",
        "key",
    )
    _transport: asyncio.Transport

    def __init__(
        self, key: tuple[str, int], released: Callable[["Back"], None], closed: Callable[["Back"], None]
    ) -> None:
        self.key = key
        self._released = released
        self._closed = closed
        self._heads = HeadBuffer()
        self._user: BackUser | None = None
        self._body: Body | None = None
        self._method = ""
        self._interim = 0
        self._request_sent = self._reusable = False

    # The user's side.

    @property
    def alive(self) -> bool:
        return not self._transport.is_closing()

    def begin(self, user: BackUser, line: RequestLine, pieces: list[bytes]) -> None:
        """Send a request: its head and what is there of its framed body."""
        self._user = user
        self._method = line.method
        self._body = None
        self._interim = 0
        self._request_sent = self._reusable = False
        self.send(pieces)

    def send(self, pieces: list[bytes]) -> None:
        """Send more of the request."""
        write_pieces(self._transport, pieces)

    def request_sent(self) -> None:
        """The request is complete."""
        self._request_sent = True

    def hold(self, held: bool) -> None:
        """Stop or go on reading the answer."""
        if held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """After `switched`: the transport and the bytes that came with the 101."""
        self._user = None
        self._closed(self)
        return self._transport, self._heads.take_rest()

    def keep(self, carrier: Carrier) -> bool:
        """Leave the connection to the carrier, if it takes it: this object is done then."""
        return carrier.keep(*self.key, self._transport)

    def abort(self) -> None:
        """Break the connection off; the user hears nothing more."""
        self._user = None
        self._transport.abort()

    def timed_out(self) -> None:
        """Idle for too long. See Expiring."""
        self._transport.close()

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        user = self._user
        if user is None:
            # Nobody asked: the two sides disagree about where an answer ended.
            self._transport.abort()
            return
        if self._body is None:
            self._heads.push(data)
            self._read_head(user)
        else:
            self._feed(user, data)
        if self._user is user:
            user.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed(self)
        user, self._user = self._user, None
        if user is None:
            return
        if exc is None and isinstance(self._body, UntilCloseBody):
            user.answer_end()
        else:
            user.upstream_lost("the session closed the connection" if exc is None else f"connection lost: {exc}")

    def pause_writing(self) -> None:
        if self._user is not None:
            self._user.upstream_full(True)

    def resume_writing(self) -> None:
        if self._user is not None:
            self._user.upstream_full(False)

    # Reading answers.

    def _read_head(self, user: BackUser) -> None:
        try:
            while (block := self._heads.take()) is not None:
                head = parse_response(block)
                if head.status == 101:
                    user.switched(head)
                    return
                if head.status >= 200:
                    self._start_answer(user, head)
                    return
                self._interim += 1
                if self._interim > _INTERIM_LIMIT:
                    raise BadHead(502, "interim answers without end")
        except BadHead as bad:
            self._fail(user, f"malformed answer: {bad}")

    def _start_answer(self, user: BackUser, head: StatusLine) -> None:
        self._body = body = response_body(head, head.status, self._method)
        self._reusable = head.version == 1 and "close" not in head.connection
        user.answer_head(head, body)
        rest = self._heads.take_rest()
        if self._user is user and (rest or body.done):
            self._feed(user, rest)

    def _feed(self, user: BackUser, data: bytes) -> None:
        assert self._body is not None
        try:
            payload, surplus = self._body.feed(data) if not self._body.done else (b"", data)
        except BadBody as bad:
            self._fail(user, f"malformed answer: {bad}")
            return
        if payload:
            user.answer_data(payload)
        if self._body.done and self._user is user:
            self._release(clean=not surplus)
            user.answer_end()

    def _release(self, clean: bool) -> None:
        self._user = None
        transport = self._transport
        if clean and self._reusable and self._request_sent and not transport.get_write_buffer_size():
            # A client that was too slow for the last piece has left it paused: the next answer would never be read.
            transport.resume_reading()
            self._released(self)
        else:
            transport.abort()

    def _fail(self, user: BackUser, reason: str) -> None:
        self.abort()
        user.upstream_lost(reason)


def write_pieces(transport: asyncio.Transport, pieces: list[bytes]) -> None:
    """Write pieces with one system call: small ones joined, large ones without a copy."""
    if len(pieces) == 1:
        transport.write(pieces[0])
    elif sum(map(len, pieces)) <= _JOIN_LIMIT:
        transport.write(b"".join(pieces))
    else:
        transport.writelines(pieces)


_JOIN_LIMIT = 16 * 1024

"""One client's connection: heads and bodies in, answers out, one request after the other."""

import asyncio
from collections.abc import Callable
from typing import cast

from rserver.proxy import tcp_state
from rserver.proxy.back import write_pieces
from rserver.proxy.body import BadBody, Body, request_body
from rserver.proxy.carrier import Lesson
from rserver.proxy.client import Detached, Exchange
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.http_head import BadHead, HeadBuffer, RequestLine
from rserver.proxy.implementation import parse_request
from rserver.proxy.own_nginx import OWN_NGINX, is_own_nginx
from rserver.proxy.settings import FrontSettings
from rserver.proxy.timed_client import State, TimedClient
from rserver.web.request import Response
from rserver.web.responses import ResponseEncoder, refusal

# A refused request's body up to this size is read and dropped, so that the connection can stay.
_DRAIN_LIMIT = 64 * 1024
# Bytes a client may send ahead of its turn.
_AHEAD_LIMIT = 64 * 1024
# Requests of one client that are begun before others have their turn.
_REQUESTS_IN_A_TURN = 16
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Front(TimedClient):
    """Client side of the proxy. `begin` is called with every request and says what answers it, if not answered yet."""

    __slots__ = (
        "_advancing",
        "_begin",
        "_body",
        "_encoder",
        "_heads",
        "_lost",
        "_pending",
        "cookies",
        "peer",
        "stopping",
    )

    def __init__(
        self,
        settings: FrontSettings,
        encoder: ResponseEncoder,
        deadlines: Deadlines,
        begin: Callable[["Front", RequestLine], Exchange | None],
        lost: Callable[["Front"], None],
    ) -> None:
        super().__init__(settings, deadlines)
        self._encoder = encoder
        self._begin = begin
        self._lost = lost
        self._heads = HeadBuffer()
        self._body: Body | None = None
        self._pending: Response | None = None
        self._advancing = self.stopping = False
        self.cookies: tuple[str, ...] = ()
        self.peer: tuple[str, int] = ("", 0)

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.peer = (peer[0].removeprefix("::ffff:"), peer[1])
        elif is_own_nginx(transport.get_extra_info("socket")):
            self.peer = OWN_NGINX
        else:
            self._transport.abort()
        self._deadlines.set(self, self._settings.head_seconds)

    def data_received(self, data: bytes) -> None:
        if self._state is State.BODY:
            self._feed(data)
        elif self._state is not State.LINGER:
            self._heads.push(data)
            if self._state is State.HEAD:
                self._advance()
            if self._state is State.WAIT and len(self._heads) > _AHEAD_LIMIT:
                self._pause()

    def eof_received(self) -> None:
        """A client that half-closes while it is owed an answer has given up: that frees parked long polls."""
        if self._state in {State.BODY, State.WAIT}:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadlines.clear(self)
        self._drop_exchange()
        self._lost(self)

    def pause_writing(self) -> None:
        self._full = True
        self._read = self._bytes_read()
        self._deadlines.set(self, self._settings.send_seconds)
        if self._exchange is not None:
            self._exchange.client_full(True)

    def resume_writing(self) -> None:
        self._full = False
        self._read = None
        self._end_watch_of_reader()
        if self._exchange is not None:
            self._exchange.client_full(False)
        else:
            self._advance()

    def answer_once(self, begin: Callable[["Front", RequestLine], Exchange | None], encoder: ResponseEncoder) -> None:
        """Before it is connected: these answer its one request, nobody else any more."""
        self._begin, self._encoder, self.stopping = begin, encoder, True

    def close_idle(self) -> None:
        """Close now when no request is under way, else after its answer."""
        self.stopping = True
        if self._state is State.HEAD:
            self._transport.close()

    # The exchange's side: see Client.

    @property
    def can_keep_alive(self) -> bool:
        line = self._line
        return line is not None and line.keep_alive and self._state is State.WAIT and not self.stopping

    @property
    def full(self) -> bool:
        return self._full

    @property
    def wants_lesson(self) -> bool:
        return False

    def learn(self, lesson: Lesson | None) -> None:
        """Nothing is carried without us here."""

    def answer(self, response: Response) -> None:
        self._exchange = None
        if self._state is State.BODY and self._drainable():
            self._pending = response
            self.hold(False)
        else:
            self._send(response)

    def write(self, pieces: list[bytes]) -> None:
        self._answering = True
        write_pieces(self._transport, pieces)

    def finish(self, keep_alive: bool) -> None:
        self._exchange = self._line = self._pending = None
        self._answering = False
        if self._state is not State.WAIT:
            self._linger()
        elif not keep_alive:
            self._state = State.LINGER
            self._transport.close()
            self._deadlines.set(self, self._settings.linger_seconds)
        else:
            self._state = State.HEAD
            self._head_started = False
            if not self._full:
                self._deadlines.set(self, self._settings.keep_alive_seconds)
            self._advance()

    def hold(self, held: bool) -> None:
        if self._state is not State.BODY or self._transport.is_closing():
            return
        if held:
            self._pause()
        else:
            self._watch_body()
            self._transport.resume_reading()

    def send_continue(self) -> None:
        if self._state is State.BODY and self._line is not None and self._line.expects_continue:
            self._line.expects_continue = False
            self._transport.write(_CONTINUE)

    def detach(self) -> Detached:
        self._state = State.DETACHED
        self._deadlines.clear(self)
        self._exchange = None
        self._lost(self)
        return Detached(self._transport, self._heads.take_rest(), self._full, self.peer[0])

    def abort(self) -> None:
        half_answered = self._answering and self._line is not None and self._line.version == 0
        self._drop_exchange()
        if half_answered:
            # An HTTP/1.0 client takes an orderly end for the end of the answer.
            tcp_state.reset_when_closed(self._transport.get_extra_info("socket"))
        self._transport.abort()

    # Reading requests.

    def _advance(self, *, next_turn: bool = False) -> None:
        # Answers may be given at once: a loop, as recursion would go as deep as a client pipelines requests.
        self._advancing &= not next_turn
        if self._advancing or self._state is not State.HEAD or self._transport.is_closing():
            return
        self._advancing, turns = True, _REQUESTS_IN_A_TURN
        try:
            while turns and self._state is State.HEAD and len(self._heads) and not self._full and self._next_request():
                turns -= 1
        finally:
            self._advancing = not turns
        if not turns:
            asyncio.get_running_loop().call_soon(lambda: self._advance(next_turn=True))
        self._heed_ahead()

    def _heed_ahead(self) -> None:
        """Read on only while little waits: each answer would let another piece in otherwise."""
        is_ahead = len(self._heads) > _AHEAD_LIMIT
        if self._state is State.HEAD:
            (self._transport.pause_reading if is_ahead or self._full else self._transport.resume_reading)()
        elif self._state is State.WAIT and is_ahead:
            self._pause()
        elif self._state is State.WAIT:
            self._transport.resume_reading()

    def _next_request(self) -> bool:
        try:
            block = self._heads.take()
            line = None if block is None else parse_request(block)
        except BadHead as bad:
            self._refuse(bad.status, str(bad))
            return False
        if line is None:
            if not self._head_started:
                self._head_started = True
                self._deadlines.set(self, self._settings.head_seconds)
            return False
        self._start(line)
        return True

    def _start(self, line: RequestLine) -> None:
        self._line = line
        self._body = request_body(line)
        if self._body.done:
            self._state = State.WAIT
            self._deadlines.clear(self)
        else:
            self._state = State.BODY
            self._watch_body()
        self._exchange = exchange = self._begin(self, line)
        if self._body.done:
            self._end_request()
        elif self._state is State.BODY and len(self._heads):
            self._feed(self._heads.take_rest())
        if exchange is not None and self._exchange is exchange:
            exchange.start()

    def _feed(self, data: bytes) -> None:
        assert self._body is not None
        try:
            payload, rest = self._body.feed(data)
        except BadBody as bad:
            self._refuse(400, str(bad))
            return
        self._received += len(payload)
        if payload and self._exchange is not None:
            self._exchange.request_data(payload)
        if self._state is not State.BODY:
            return
        if not self._body.done:
            return
        self._heads.push(rest)
        self._state = State.WAIT
        self._deadlines.clear(self)
        # A body's last piece may have been read while the exchange held it; what follows must be seen, if only its end.
        self._transport.resume_reading()
        self._end_request()

    def _end_request(self) -> None:
        if self._exchange is not None:
            self._exchange.request_end()
        elif self._pending is not None:
            self._send(self._pending)

    # Answers of our own.

    def _send(self, response: Response) -> None:
        line = self._line
        assert line is not None
        keep = self.can_keep_alive
        self._transport.write(self._encoder.encode(response, method=line.method, keep_alive=keep, cookies=self.cookies))
        self.finish(keep)

    def _refuse(self, status: int, reason: str) -> None:
        answering = self._answering
        self._drop_exchange()
        if answering:
            self._transport.abort()
        else:
            method = "GET" if self._line is None else self._line.method
            self._transport.write(self._encoder.encode(refusal(status, reason), method=method))
            self._linger()

    def _drainable(self) -> bool:
        line = self._line
        return line is not None and not line.expects_continue and 0 < (line.length or 0) <= _DRAIN_LIMIT

    def _linger(self) -> None:
        """End the answer, then wait for the client to close: closing over unread input would reset the connection."""
        self._state = State.LINGER
        self._heads.take_rest()
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():  # over TLS the head's `Connection: close` must do
            self._transport.write_eof()
        self._transport.resume_reading()
        self._deadlines.set(self, self._settings.linger_seconds)

    def _drop_exchange(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._pending = None
        if exchange is not None:
            exchange.client_lost()

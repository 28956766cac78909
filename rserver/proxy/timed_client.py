"""A client's connection as far as time goes: who sends or reads too slowly is told so, or hung up on."""

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING

from rserver.proxy import tcp_state
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.settings import FrontSettings
from rserver.proxy.small_reads import SmallReads

if TYPE_CHECKING:
    from rserver.proxy.client import Exchange
    from rserver.proxy.http_head import RequestLine


class State(Enum):
    HEAD = auto()  # between requests, or within a head
    BODY = auto()  # an exchange runs, its request body is not complete
    WAIT = auto()  # an exchange runs, its request is complete
    LINGER = auto()  # answered without having read the whole request: drop input until the client closes
    DETACHED = auto()  # the transport belongs to somebody else


class TimedClient(SmallReads):
    """What a front knows of its client that time limits depend on."""

    __slots__ = (
        "_answering",
        "_deadlines",
        "_exchange",
        "_full",
        "_head_started",
        "_line",
        "_read",
        "_received",
        "_settings",
        "_state",
        "_transport",
    )
    _transport: asyncio.Transport

    def __init__(self, settings: FrontSettings, deadlines: Deadlines) -> None:
        self._settings = settings
        self._deadlines = deadlines
        self._state = State.HEAD
        self._line: RequestLine | None = None
        self._exchange: Exchange | None = None
        self._answering = self._full = self._head_started = False
        self._received = 0
        self._read: int | None = None

    def abort(self) -> None:
        """See Client."""
        raise NotImplementedError

    def _refuse(self, status: int, reason: str) -> None:
        """Say why the connection ends."""
        raise NotImplementedError

    def timed_out(self) -> None:
        """See Expiring."""
        if self._transport.get_write_buffer_size():
            self._watch_reader()
        elif self._state in {State.BODY, State.WAIT} and not self._transport.is_reading():
            self._watch_paused()
        elif self._state is State.BODY and self._body_comes():
            self._watch_body()
        elif self._state is State.LINGER or self._answering:
            self.abort()
        elif self._state is State.HEAD and not self._head_started:
            self._transport.close()
        else:
            self._refuse(408, "the request took too long to arrive")

    def _pause(self) -> None:
        self._transport.pause_reading()
        if not self._full:
            self._deadlines.set(self, self._settings.paused_seconds)

    def _watch_body(self) -> None:
        """Look at what has come of the body when its time is over: a limit on each pause would let drops through."""
        self._received = 0
        self._deadlines.set(self, self._settings.body_stall_seconds)

    def _body_comes(self) -> bool:
        line, settings = self._line, self._settings
        # A client that waits for our word to send the body is not to blame.
        if line is not None and line.expects_continue and self._exchange is not None:
            return True
        return self._received > 0 and self._received >= settings.least_rate * settings.body_stall_seconds

    def _watch_reader(self) -> None:
        """The client owes us to read: it must have taken enough since it was last looked at."""
        read, before = self._bytes_read(), self._read
        if before is not None and read - before < max(1, self._settings.least_rate * self._settings.send_seconds):
            self.abort()
            return
        self._read = read
        self._deadlines.set(self, self._settings.send_seconds)

    def _end_watch_of_reader(self) -> None:
        if self._state is State.BODY and self._transport.is_reading():
            self._watch_body()
        elif self._state in {State.BODY, State.WAIT} and not self._transport.is_reading():
            self._deadlines.set(self, self._settings.paused_seconds)
        elif self._state is State.WAIT:
            self._deadlines.clear(self)
        elif self._state is State.HEAD and not self._head_started:
            self._deadlines.set(self, self._settings.keep_alive_seconds)

    def _bytes_read(self) -> int:
        """What the client's side has taken so far; of a socket that cannot tell: what has left our buffer, negated."""
        taken = tcp_state.acknowledged_bytes(self._transport.get_extra_info("socket"))
        return -self._transport.get_write_buffer_size() if taken is None else taken

    def _watch_paused(self) -> None:
        # The loop tells nothing of a connection that is not read.
        if tcp_state.is_established(self._transport.get_extra_info("socket")):
            self._deadlines.set(self, self._settings.paused_seconds)
        else:
            self.abort()

"""A data worker's end of the connection to control: questions with answers, orders, and a new one when it is lost."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from twisted.logger import Logger

from rserver.proxy.pool import Unreachable, check_peer
from rserver.workers import wire

MOST_QUESTIONS = 2048
PATIENCE_SECONDS = 10.0
"""How long a question waits for control to come back."""
HUNG_PATIENCE_SECONDS = 2.0
"""The same while control lives but does not answer, which its master needs half a minute to be sure of."""
LOOK_SECONDS, MOST_LOOKS = 2.0, 3
"""While questions are open control has to say something at least that often, or is hung up on after so many looks."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_log = Logger()
_A = TypeVar("_A", wire.Page, wire.Found)


class ControlGone(Exception):
    """Control does not answer now. Whether it did what was asked is not known."""


class Listener(Protocol):
    """Who is told what control says unasked."""

    def begun(self, message: wire.Begin) -> None:
        """A new connection: nothing that control said before holds."""

    def offered(self, number: int) -> None:
        """The answer to this question has come; an order that comes next may take it back before it is looked at."""

    def ordered(self, message: wire.Forget | wire.Void | wire.CloseUser | wire.CloseJoin) -> None:
        """Do it now."""


class ControlLink:
    """Connects to path until close(). begun: set while control can be asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str, listener: Listener) -> None:
        self.begun = asyncio.Event()
        self._loop, self._path, self._listener = loop, path, listener
        self._connection: _Connection | None = None
        self._open: dict[int, asyncio.Future[wire.Page | wire.Found]] = {}
        self._last = self._waiting = self._looks = 0
        self._is_hung = False
        self._looking: asyncio.TimerHandle | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, from now on."""
        self._keeping = self._loop.create_task(self._keep_connected())

    def close(self) -> None:
        """For good."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self._looking is not None:
            self._looking.cancel()
        if self._connection is not None:
            self._connection.abort()

    async def ask(self, make: Callable[[int], wire.AskPage | wire.AskTarget], kind: type[_A], *, is_safe: bool) -> _A:
        """The answer of this kind; ControlGone.

        is_safe: nothing is done by asking, so it may be asked again, and left when nobody waits any more.
        """
        try:
            return await self._ask(make, kind, drop=is_safe)
        except ControlGone:
            if not is_safe:
                raise
        return await self._ask(make, kind, drop=is_safe)

    async def _ask(self, make: Callable[[int], wire.AskPage | wire.AskTarget], kind: type[_A], *, drop: bool) -> _A:
        await self._wait_for_control()
        if len(self._open) >= MOST_QUESTIONS:
            raise ControlGone("too many questions are open")
        self._last += 1
        number = self._last
        answer: asyncio.Future[wire.Page | wire.Found] = self._loop.create_future()
        self._open[number] = answer
        if self._looking is None:
            self._looks = 0
            self._looking = self._loop.call_later(LOOK_SECONDS, self._look)
        try:
            self.send(make(number))
            found = await answer
        except asyncio.CancelledError:
            if drop:
                self.send(wire.GiveUp(number))
            raise
        finally:
            del self._open[number]
        assert isinstance(found, kind)
        return found

    def send(self, message: wire.ToControl) -> None:
        """Tell control, if it is there."""
        if self._connection is not None:
            self._connection.send(message)

    async def _wait_for_control(self) -> None:
        if self.begun.is_set():
            return
        if self._waiting >= MOST_QUESTIONS:
            raise ControlGone("too many wait for control")
        self._waiting += 1
        try:
            seconds = HUNG_PATIENCE_SECONDS if self._is_hung else PATIENCE_SECONDS
            await asyncio.wait_for(self.begun.wait(), seconds)
        except TimeoutError:
            raise ControlGone("control does not answer") from None
        finally:
            self._waiting -= 1

    def _look(self) -> None:
        """While questions are open: does control say anything at all?"""
        self._looking = None
        if not self._open or self._connection is None:
            return
        if self._looks >= MOST_LOOKS:
            _log.error("control does not answer: sessions are carried on, everything else is refused for now")
            self._is_hung = True
            self._connection.abort()
            return
        self._looks += 1
        self.send(wire.Ping())
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look)

    async def _keep_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._connect()
                pause = _FIRST_PAUSE
            except (OSError, Unreachable):
                pause = min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _connect(self) -> None:
        """One connection, until its end."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        sock.setblocking(False)
        try:
            await self._loop.sock_connect(sock, self._path)
            check_peer(sock, os.getuid())
            connection = _Connection(self._received)
            await self._loop.create_unix_connection(lambda: connection, sock=sock)
        except BaseException:
            sock.close()
            raise
        self._connection = connection
        try:
            await connection.ended.wait()
        finally:
            self._lost()

    def _lost(self) -> None:
        self._connection = None
        if self.begun.is_set():
            self.begun.clear()
            _log.warn("control is gone; sessions are carried on")
        for answer in list(self._open.values()):
            if not answer.done():
                answer.set_exception(ControlGone("control was lost while it answered"))

    def _received(self, message: wire.ToData) -> None:
        self._looks = 0
        match message:
            case wire.Begin():
                if message.version != wire.VERSION:
                    raise wire.WireError(f"control speaks version {message.version}, not {wire.VERSION}")
                self._listener.begun(message)
                self._is_hung = False
                self.begun.set()
            case wire.Page() | wire.Found():
                answer = self._open.get(message.number)
                if answer is not None and not answer.done():
                    if isinstance(message, wire.Found):
                        self._listener.offered(message.number)
                    answer.set_result(message)
            case wire.Forget() | wire.CloseJoin():
                self._listener.ordered(message)
            case wire.Void() | wire.CloseUser():
                self._listener.ordered(message)
                self.send(wire.Heard(message.order))


class _Connection(asyncio.Protocol):
    def __init__(self, received: Callable[[wire.ToData], None]) -> None:
        self.ended = asyncio.Event()
        self._received = received
        self._reader = wire.FrameReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                self._received(wire.to_data(body))
        except wire.WireError as error:
            _log.error("control: {error}", error=str(error))
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def send(self, message: wire.ToControl) -> None:
        if not self._transport.is_closing():
            self._transport.write(wire.encode(message))
            if self._transport.get_write_buffer_size() > wire.MOST_UNSENT:
                _log.error("control does not read: asked anew")
                self.abort()

    def abort(self) -> None:
        self._transport.abort()

"""Where sessions come with what their user wants changed: a Unix socket; the kernel says whose process it is."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rserver.sessions.probe import peer_uid
from rserver.sessions.session import Session
from rserver.sessions.table import SessionTable
from rserver.sharing.refused import ShareRefused
from rserver_core.frame import FrameError, FrameReader, Message, check_greeting, encode, greeting

MOST_BYTES = 1 << 17
MOST_OF_ONE, MOST_CALLERS = 16, 512
FIRST_WORD_SECONDS = 10.0
_BROKEN = "Something went wrong; the server's log says more."

_log = Logger()

Tell = Callable[[Message], None]
Answer = Callable[[Session, Message, Tell], Awaitable[Message]]


@dataclass(slots=True)
class Door:
    """answer: carries out one request of a session; tell sends events about it. Each connection brings one request."""

    loop: asyncio.AbstractEventLoop
    table: SessionTable
    answer: Answer
    _callers: "Counter[int]" = field(default_factory=Counter)
    _server: asyncio.AbstractServer | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Take connections."""
        self._server = await self.loop.create_unix_server(lambda: _Caller(self), sock=sock)

    def let_in(self, uid: int) -> bool:
        """Whether one more process of this uid may ask."""
        if self._callers[uid] >= MOST_OF_ONE or self._callers.total() >= MOST_CALLERS:
            return False
        self._callers[uid] += 1
        return True

    def left(self, uid: int) -> None:
        """One of them has gone."""
        self._callers[uid] -= 1
        if not self._callers[uid]:
            del self._callers[uid]

    def session_of(self, uid: int, session_id: object) -> Session | None:
        """The session of that id, if it is one of this uid."""
        session = self.table.get(session_id) if isinstance(session_id, str) else None
        return session if session is not None and session.uid == uid else None


class _Caller(asyncio.Protocol):
    """One connection: greeting, request; events, answer."""

    def __init__(self, door: Door) -> None:
        self._door, self._reader = door, FrameReader()
        self._uid, self._is_in, self._received = -1, False, 0
        self._session: Session | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._number: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._uid = peer_uid(transport.get_extra_info("socket"))
        self._is_in = self._door.let_in(self._uid)
        if not self._is_in:
            self._transport.abort()
            return
        self._limit = self._door.loop.call_later(FIRST_WORD_SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        try:
            if self._received > MOST_BYTES:
                raise FrameError(f"more than {MOST_BYTES} bytes")
            for message in self._reader.feed(data):
                self._take(message)
        except FrameError as error:
            _log.info("a process of uid {uid} speaks no protocol of ours: {why}", uid=self._uid, why=str(error))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._limit is not None:
            self._limit.cancel()
        if self._is_in:
            self._door.left(self._uid)

    def _take(self, message: Message) -> None:
        if self._session is None:
            self._greeted(message)
        elif self._number is not None:
            raise FrameError("a second request")
        elif not isinstance(number := message.get("id"), int):
            raise FrameError("a request without id")
        else:
            self._number = number
            Deferred.fromCoroutine(self._answer(self._session, message)).addErrback(_failed)

    def _greeted(self, message: Message) -> None:
        check_greeting(message, "session")
        self._session = self._door.session_of(self._uid, message.get("session"))
        if self._session is None:
            raise FrameError("no session of that user")
        self._send(greeting("worker"))

    async def _answer(self, session: Session, message: Message) -> None:
        if self._limit is not None:
            self._limit.cancel()
        try:
            answer: Message = {"result": await self._door.answer(session, message, self._send)}
        except ShareRefused as error:
            answer = {"error": {"code": error.code, "message": str(error), "cancelled": error.was_cancelled}}
        except Exception:
            _log.failure("a request of session {id} failed", id=session.id)
            answer = {"error": {"code": 11, "message": _BROKEN, "cancelled": False}}
        self._send({"id": self._number, **answer})
        self._transport.close()

    def _send(self, message: Message) -> None:
        # Whoever asked may be gone; what was begun goes on to its end.
        if not self._transport.is_closing():
            self._transport.write(encode(message))


def _failed(failure: Failure) -> None:
    _log.failure("an answer could not be sent", failure=failure)

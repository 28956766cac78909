"""The worker's end of the channel to the master: one Deferred per request, events to a listener."""

from collections.abc import Callable
from typing import Any, cast
from typing import Protocol as Shape

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from rserver.clock import Clock, limit
from rserver_core.frame import FrameError, FrameReader, Message, check_greeting, encode, greeting

MAX_OPEN_REQUESTS = 512
TIMEOUT_SECONDS = {"check_password": 120.0, "launch": 120.0, "signal": 20.0, "list": 20.0}

_log = Logger()


class MasterError(Exception):
    """The master refused a request or cannot answer; code is one of the protocol, `error` its whole error object."""

    def __init__(self, code: str, message: str, error: Message | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.error = code, message, error or {}


class MasterClient(Protocol):
    """Speaks to the master. `greeted` fires with its greeting; on_event gets events; on_lost is called at the end."""

    def __init__(self, clock: Clock, on_event: Callable[[Message], None], on_lost: Callable[[], None]) -> None:
        self.greeted: Deferred[Message] = Deferred()
        self._clock, self._on_event, self._on_lost = clock, on_event, on_lost
        self._reader = FrameReader()
        self._open: dict[int, Deferred[Message]] = {}
        self._last_id = 0
        self._is_greeted = False

    def connectionMade(self) -> None:
        """Greet."""
        self._send(greeting("worker"))

    def request(self, op: str, **fields: Any) -> "Deferred[Message]":
        """The master's answer. Fails with MasterError: its own refusals, `timeout`, `busy`, `closed`."""
        if len(self._open) >= MAX_OPEN_REQUESTS:
            return fail(MasterError("busy", f"{MAX_OPEN_REQUESTS} requests are open"))
        self._last_id += 1
        number = self._last_id
        answer: Deferred[Message] = Deferred()
        seconds = TIMEOUT_SECONDS[op]
        limit(answer, seconds, self._clock, MasterError("timeout", f"no answer from the master in {seconds:g} s"))
        answer.addBoth(self._close, number)
        self._open[number] = answer
        try:
            self._send({"id": number, "op": op, **fields})
        except FrameError as error:
            answer.errback(MasterError("bad_request", str(error)))
        return answer

    def dataReceived(self, data: bytes) -> None:
        """Hand on what is complete; a broken stream ends the channel."""
        try:
            for message in self._reader.feed(data):
                self._received(message)
        except FrameError as error:
            _log.error("channel to the master broken: {error}", error=str(error))
            self._drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The master is gone."""
        for answer in list(self._open.values()):
            answer.errback(MasterError("closed", "the master is gone"))
        self._on_lost()

    def _received(self, message: Message) -> None:
        if not self._is_greeted:
            check_greeting(message, "master")
            self._is_greeted = True
            self.greeted.callback(message)
        elif "event" in message:
            self._on_event(message)
        else:
            self._answered(message)

    def _answered(self, message: Message) -> None:
        number = message.get("id")
        answer = self._open.get(number) if isinstance(number, int) else None
        if answer is None:
            return  # the answer to a request that was given up
        if (error := message.get("error")) is not None:
            answer.errback(_error_of(error))
        else:
            answer.callback(message)

    def _close(self, result: Message | Failure, number: int) -> Message | Failure:
        self._open.pop(number, None)
        return result

    def _send(self, message: Message) -> None:
        cast("_Stream", self.transport).write(encode(message))

    def _drop(self) -> None:
        cast("_Stream", self.transport).loseConnection()


class _Stream(Shape):
    def write(self, data: bytes) -> None: ...

    def loseConnection(self) -> None: ...


def _error_of(error: object) -> MasterError:
    if not isinstance(error, dict):
        return MasterError("failed", "refused without a reason")
    return MasterError(str(error.get("code", "failed")), str(error.get("message", ""))[:2000], error)

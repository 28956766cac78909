"""The worker's end of the channel to the master: one Deferred per request, events to a listener."""

from collections.abc import Callable, Sequence
from typing import Any, cast
from typing import Protocol as Shape

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from rserver.clock import Clock, limit
from rserver_core.frame import FrameError, FrameReader, Message, check_greeting, encode, greeting

MAX_OPEN_REQUESTS = 512
TIMEOUT_SECONDS = {"acls_cancel": 20.0, "check_password": 120.0, "launch": 120.0, "signal": 20.0, "list": 20.0}
ACL_SECONDS = 660.0

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
        self._progress: dict[int, Callable[[int, int | None], None]] = {}
        self._last_id = 0
        self._is_greeted = False

    def connectionMade(self) -> None:
        """Greet."""
        self._send(greeting("worker"))

    def request(self, op: str, **fields: Any) -> "Deferred[Message]":
        """The master's answer. Fails with MasterError: its own refusals, `timeout`, `busy`, `closed`."""
        return self._ask(Deferred(), TIMEOUT_SECONDS[op], op, fields)

    def acls(
        self,
        action: str,
        project_dir: str,
        owner: str,
        members: Sequence[str],
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> "Deferred[Message]":
        """What rserver-acls did (docs/reference/rserver-acls.md); fails with MasterError. Cancelling it ends the run.

        on_progress gets how many objects are done, and how many there were the last time or None.
        """
        number = self._last_id + 1

        def stop(_: object) -> None:
            self.request("acls_cancel", request=number).addErrback(lambda _: None)

        request = {"action": action, "project_dir": project_dir, "owner": owner, "members": list(members)}
        if on_progress:
            self._progress[number] = on_progress
        answer = self._ask(Deferred(stop), ACL_SECONDS, "acls", {"request": request})
        return answer.addBoth(self._forget_progress, number).addCallback(lambda message: message["result"])

    def _forget_progress(self, result: Message | Failure, number: int) -> Message | Failure:
        self._progress.pop(number, None)
        return result

    def _ask(self, answer: "Deferred[Message]", seconds: float, op: str, fields: Message) -> "Deferred[Message]":
        if len(self._open) >= MAX_OPEN_REQUESTS:
            return fail(MasterError("busy", f"{MAX_OPEN_REQUESTS} requests are open"))
        self._last_id += 1
        number = self._last_id
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
        elif message.get("event") == "ping":
            self._send({"event": "pong"})
        elif message.get("event") == "acls_progress":
            self._progressed(message)
        elif "event" in message:
            self._on_event(message)
        else:
            self._answered(message)

    def _progressed(self, message: Message) -> None:
        listener = self._progress.get(message["request"])
        if listener is None:
            return  # it was given up
        try:
            listener(message["done"], message["expected"])
        except Exception:
            # The channel, and with it the worker, must outlive a mistake in one listener.
            _log.failure("progress of request {number} could not be told", number=message["request"])

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

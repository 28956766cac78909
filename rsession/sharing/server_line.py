"""Asks the server, which alone can have access changed: one connection for each request."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone

from rserver_core.frame import FrameError, FrameReader, Message, check_greeting, encode, greeting
from rsession.error_code import ErrorCode, RpcError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorUNIX, ITransport
    from twisted.python.failure import Failure

_CONNECT_SECONDS = 10
_AWAY = "The server does not answer. Try again in a moment."
_LOST = "The server ended meanwhile. Access may have been changed in a part of the project only; do it again."

OnEvent = Callable[[Message], None]


class ServerRefused(RpcError):
    """The server does not do it. was_cancelled: somebody stopped it."""

    def __init__(self, code: ErrorCode, message: str, *, was_cancelled: bool = False) -> None:
        super().__init__(code, message)
        self.was_cancelled = was_cancelled


class ServerLine:
    """Where the server listens, and which session asks. The server looks itself whose process this is."""

    def __init__(self, reactor: "IReactorUNIX", path: str, session_id: str) -> None:
        self._reactor, self._path, self._session = reactor, path, session_id

    def ask(self, op: str, on_event: OnEvent = lambda _: None, **fields: Any) -> "Deferred[Message]":
        """The result; fails with ServerRefused."""
        answer: Deferred[Message] = Deferred()
        request = encode(greeting("session", session=self._session)) + encode({"id": 1, "op": op, **fields})
        factory = _Factory(request, answer, on_event)
        self._reactor.connectUNIX(self._path, factory, timeout=_CONNECT_SECONDS)
        return answer


class _Factory(ClientFactory):
    noisy = False

    def __init__(self, request: bytes, answer: "Deferred[Message]", on_event: OnEvent) -> None:
        self._request, self._answer, self._on_event = request, answer, on_event

    def buildProtocol(self, addr: object) -> Protocol:
        return _Request(self._request, self._answer, self._on_event)

    def clientConnectionFailed(self, connector: object, reason: "Failure") -> None:
        self._answer.errback(ServerRefused(ErrorCode.UNAVAILABLE, _AWAY))


class _Request(Protocol):
    def __init__(self, request: bytes, answer: "Deferred[Message]", on_event: OnEvent) -> None:
        self._request, self._answer, self._on_event = request, answer, on_event
        self._reader = FrameReader()
        self._is_greeted = False

    def connectionMade(self) -> None:
        cast("ITransport", self.transport).write(self._request)

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._reader.feed(data):
                self._take(message)
        except FrameError:
            cast("ITransport", self.transport).loseConnection()

    def connectionLost(self, reason: "Failure" = connectionDone) -> None:
        if not self._answer.called:
            self._answer.errback(ServerRefused(ErrorCode.UNAVAILABLE, _LOST if self._is_greeted else _AWAY))

    def _take(self, message: Message) -> None:
        if not self._is_greeted:
            check_greeting(message, "worker")
            self._is_greeted = True
        elif "event" in message:
            self._on_event(message)
        elif isinstance(error := message.get("error"), dict) and not self._answer.called:
            is_away = error.get("code") == ErrorCode.UNAVAILABLE
            code = ErrorCode.UNAVAILABLE if is_away else ErrorCode.PARAM_INVALID
            cancelled = error.get("cancelled") is True
            self._answer.errback(ServerRefused(code, str(error.get("message")), was_cancelled=cancelled))
        elif not self._answer.called:
            self._answer.callback(message["result"])

"""One connection of the session's HTTP server: h11 on a Twisted transport, with limits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl, unquote

import h11
from twisted.internet import interfaces, protocol
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rsession.error_code import ErrorCode, RpcError
from rsession.http_message import Refusal, Request, Response, StreamedResponse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport

    from rsession.http_stream import Receiver, Sender, Source

HEAD_LIMIT = 64 << 10
BODY_LIMIT = 32 << 20
REQUEST_SECONDS = 20.0
"""For a whole request, from its first byte; for each piece of a body that is taken as it comes."""
IDLE_SECONDS = 300.0
LINGER_SECONDS = 5.0
_LARGE_READ = 512 << 10

_log = Logger()

Answer = Response | Deferred[Response]


class Upgraded(Protocol):
    """What takes a connection over after 101."""

    def connected(self) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def connection_lost(self) -> None: ...


class Site(Protocol):
    """Answers requests."""

    def answer(self, request: Request) -> Answer:
        """Answer a request; RpcError and any other exception become an error answer."""

    def upgrade(self, request: Request, connection: "HttpConnection") -> Upgraded | Response:
        """Decide on a WebSocket handshake."""

    def receiver(self, request: Request, sender: "Sender") -> "Receiver | None":
        """Who takes the body of this request as it comes; None: it is collected for `answer`."""


@implementer(interfaces.IPushProducer)
class HttpConnection(protocol.Protocol):
    """One request at a time; a second one waits unread."""

    def __init__(self, site: Site, clock: "IReactorTime", on_lost: Callable[["HttpConnection"], None]) -> None:
        self._site = site
        self._clock = clock
        self._on_lost = on_lost
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._timer: IDelayedCall | None = None
        self._timer_is_idle = True
        self._upgraded: Upgraded | None = None
        self._is_answering = False
        self._answer: Deferred[Response] | None = None
        self._receiver: Receiver | None = None
        self._source: Source | None = None
        self._is_held = False
        """What takes the body of a request is behind."""
        self._is_deaf = False
        """The rest of a body that was refused is let pass, as closing at once could cost the peer our answer."""
        self._is_full = False
        """The peer does not read its answers."""
        self._is_paused = False
        self._is_lost = False

    def connectionMade(self) -> None:
        """Begin to wait for a request."""
        interfaces.IConsumer(self.transport).registerProducer(self, True)
        self._start_timer(is_idle=True)

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """Forget the request in work."""
        self._is_lost = True
        self._stop_timer()
        if self._upgraded is not None:
            self._upgraded.connection_lost()
        if self._receiver is not None:
            self._receiver.lost()
        if self._answer is not None:
            self._answer.cancel()
        if self._source is not None:
            self._source.stop()
        self._on_lost(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the peer."""
        if self._upgraded is not None:
            self._upgraded.data_received(data)
            return
        if self._is_deaf:
            return
        if self._timer_is_idle and self._timer is not None:
            self._start_timer(is_idle=False)
        self._parse(data)

    def pauseProducing(self) -> None:
        """The transport is full of answers: read no more requests."""
        self._is_full = True
        self._pause()
        if self._source is not None:
            self._source.hold(True)

    def resumeProducing(self) -> None:
        """The peer has read."""
        self._is_full = False
        self._pause()
        if self._source is not None:
            self._source.hold(False)
        self._parse(b"")

    def stopProducing(self) -> None:
        """The connection is lost, which connectionLost tells too."""

    def send(self, data: bytes) -> None:
        """Write bytes of an upgraded connection."""
        assert self.transport is not None
        self.transport.write(data)

    def close(self) -> None:
        """Close when everything is written."""
        if self.transport is not None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """Close at once: nobody is there to read what waits."""
        if self.transport is not None:
            cast("ITCPTransport", self.transport).abortConnection()

    def hold(self, is_full: bool) -> None:
        """See `http_stream.Sender`."""
        self._is_held = is_full
        self._pause()
        if not is_full and self._receiver is not None:
            self._start_timer(is_idle=False)
            self._clock.callLater(0, self._parse, b"")
        elif is_full:
            self._stop_timer()

    def write(self, data: bytes) -> None:
        """See `http_stream.Output`."""
        if not self._is_lost and self.transport is not None:
            self.transport.writeSequence(self._parser.send_with_data_passthrough(h11.Data(data=data)) or [])

    def finish(self) -> None:
        """See `http_stream.Output`."""
        self._source = None
        if not self._is_lost:
            self._write(self._parser.send(h11.EndOfMessage()))
            self._end_cycle()
            self._parse(b"")

    def fail(self) -> None:
        """See `http_stream.Output`."""
        self._source = None
        self.abort()

    def _parse(self, data: bytes) -> None:
        if self._is_lost:
            return
        try:
            if data:
                self._parser.receive_data(data)
            self._read_events()
        except h11.RemoteProtocolError as error:
            self._drop_receiver()
            self._refuse(error.error_status_hint, str(error))
        except Refusal as error:
            self._drop_receiver()
            self._is_deaf = True
            self._refuse_by(error.response)

    def _read_events(self) -> None:
        while not self._is_stopped() and self._upgraded is None and not self._is_lost:
            event = self._parser.next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._collect(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._finish()
            else:
                break

    def _read_more_at_once(self) -> None:
        """A large body in 64 KiB pieces costs the reactor more than the copying does."""
        if self.transport is not None:
            self.transport.bufferSize = _LARGE_READ  # type: ignore[attr-defined]

    def _is_stopped(self) -> bool:
        return self._is_answering or self._is_full or self._is_held or self._is_deaf

    def _drop_receiver(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()

    def _begin(self, head: h11.Request) -> None:
        self._head, self._body, self._body_size = head, [], 0
        if len(head.target) + sum(len(name) + len(value) for name, value in head.headers) > HEAD_LIMIT:
            raise h11.RemoteProtocolError("the head is too large", 431)
        length = next((value for name, value in head.headers if name == b"content-length"), b"0")
        self._receiver = self._site.receiver(_to_request(head, b""), self)
        if self._receiver is not None:
            self._read_more_at_once()
        if self._receiver is None and (len(length) > 10 or int(length) > BODY_LIMIT):
            raise h11.RemoteProtocolError("the body is too large", 413)
        if self._parser.they_are_waiting_for_100_continue:
            self._write(self._parser.send(h11.InformationalResponse(status_code=100, headers=[])))

    def _collect(self, data: bytes) -> None:
        if self._receiver is not None:
            self._start_timer(is_idle=False)
            self._receiver.data(data)
            return
        self._body_size += len(data)
        if self._body_size > BODY_LIMIT:
            raise h11.RemoteProtocolError("the body is too large", 413)
        self._body.append(data)

    def _finish(self) -> None:
        self._stop_timer()
        assert self._head is not None
        if self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            self._answer_by(receiver.end)
            return
        request = _to_request(self._head, b"".join(self._body))
        self._body = []
        if request.headers.get("upgrade", "").lower() == "websocket":
            self._upgrade(request)
            return
        self._answer_by(lambda: self._site.answer(request))

    def _answer_by(self, ask: Callable[[], Answer]) -> None:
        self._is_answering = True
        try:
            answer = ask()
        except Exception:
            answer = _of_failure(Failure())
        if isinstance(answer, Deferred):
            self._wait_for(answer)
        else:
            self._respond(answer)

    def _wait_for(self, answer: Deferred[Response]) -> None:
        self._answer = answer
        self._pause()
        answer.addErrback(_of_failure).addCallback(self._respond_late)
        answer.addErrback(lambda failure: _log.failure("an answer cannot be sent", failure))

    def _respond_late(self, response: Response) -> None:
        self._answer = None
        if not self._is_lost:
            self._respond(response)
            self._pause()
            self._parse(b"")
        elif isinstance(response, StreamedResponse) and response.source is not None:
            response.source.stop()

    def _respond(self, response: Response) -> None:
        if isinstance(response, StreamedResponse) and response.source is not None:
            self._stream(response, response.source)
        else:
            self._write(self._encode(response))
            self._end_cycle()

    def _stream(self, response: StreamedResponse, source: "Source") -> None:
        length = response.length
        framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
        headers = [*response.headers.items(), ("Content-Type", response.content_type), framing]
        self._write(self._parser.send(h11.Response(status_code=response.status, headers=headers)))
        if self._head is not None and self._head.method == b"HEAD":
            source.stop()
            self.finish()
            return
        self._source = source
        source.begin(self)
        if self._is_full:
            source.hold(True)

    def _end_cycle(self) -> None:
        self._is_answering = False
        if self._parser.our_state is h11.MUST_CLOSE:
            self.close()
            self._is_lost = True
        else:
            self._parser.start_next_cycle()
            self._start_timer(is_idle=True)

    def _encode(self, response: Response) -> bytes:
        headers = [(name, value) for name, value in response.headers.items()]
        headers += [("Content-Type", response.content_type), ("Content-Length", str(len(response.body)))]
        head = self._parser.send(h11.Response(status_code=response.status, headers=headers)) or b""
        is_head = self._head is not None and self._head.method == b"HEAD"
        body = b"" if is_head else self._parser.send(h11.Data(data=response.body)) or b""
        return head + body + (self._parser.send(h11.EndOfMessage()) or b"")

    def _upgrade(self, request: Request) -> None:
        upgraded = self._site.upgrade(request, self)
        if isinstance(upgraded, Response):
            self._respond(upgraded)
            return
        interfaces.IConsumer(self.transport).unregisterProducer()
        self._upgraded = upgraded
        rest = self._parser.trailing_data[0]
        upgraded.connected()
        if rest:
            upgraded.data_received(bytes(rest))

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what is no proper request, and close."""
        self._refuse_by(Response.of_text(status, reason))

    def _refuse_by(self, response: Response) -> None:
        self._stop_timer()
        if self._parser.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [
                ("Content-Type", response.content_type),
                ("Content-Length", str(len(response.body))),
                ("Connection", "close"),
            ]
            self._write(self._parser.send(h11.Response(status_code=response.status, headers=headers)))
            self._write(self._parser.send(h11.Data(data=response.body)))
        if self._is_deaf:
            self._timer = self._clock.callLater(LINGER_SECONDS, self.close)
        else:
            self.close()

    def _write(self, data: bytes | None) -> None:
        if data and self.transport is not None:
            self.transport.write(data)

    def _pause(self) -> None:
        is_paused = self._answer is not None or self._is_full
        if self._is_paused != is_paused and not self._is_lost:
            self._is_paused = is_paused
            producer = interfaces.IPushProducer(self.transport)
            producer.pauseProducing() if is_paused else producer.resumeProducing()

    def _start_timer(self, is_idle: bool) -> None:
        self._stop_timer()
        self._timer_is_idle = is_idle
        self._timer = self._clock.callLater(IDLE_SECONDS if is_idle else REQUEST_SECONDS, self._time_out)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _time_out(self) -> None:
        if self._timer_is_idle:
            self.close()
        else:
            self._refuse(408, "the request took too long")


def _to_request(head: h11.Request, body: bytes) -> Request:
    target = head.target.decode("ascii", "replace")
    path, _, query = target.partition("?")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    return Request(head.method.decode("ascii"), unquote(path), dict(pairs), headers, body)


def _of_failure(failure: Failure) -> Response:
    error = failure.value
    if isinstance(error, Refusal):
        return error.response
    if isinstance(error, RpcError):
        status = {ErrorCode.UNAVAILABLE: 503, ErrorCode.R_ERROR: 500, ErrorCode.INTERNAL: 500}.get(error.code, 400)
        return Response.of_text(status, error.message)
    _log.failure("a request failed", failure)
    return Response.of_text(500, "the session could not answer; its log says why")

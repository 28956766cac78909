"""Time-outs and lost connections, on a clock that the test moves."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from rsession.http_connection import IDLE_SECONDS, LINGER_SECONDS, REQUEST_SECONDS, Answer, HttpConnection, Upgraded
from rsession.http_message import Refusal, Request, Response, StreamedResponse
from rsession.http_stream import Output, Receiver, Sender

HEAD = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


class Site:
    """Answers what the test tells it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.taker: Receiver | None = None

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answers.pop(0)

    def receiver(self, request: Request, sender: Sender) -> Receiver | None:
        return self.taker

    def upgrade(self, request: Request, connection: HttpConnection) -> Upgraded | Response:
        return Response.of_text(404, "no")


class Desk:
    """A connection on a transport in memory."""

    def __init__(self) -> None:
        self.site, self.clock, self.transport = Site(), Clock(), StringTransport()
        self.lost: list[HttpConnection] = []
        self.connection = HttpConnection(self.site, self.clock, self.lost.append)
        self.connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def written(self) -> bytes:
        return bytes(self.transport.value())


def test_an_idle_connection_is_closed() -> None:
    desk = Desk()
    desk.clock.advance(IDLE_SECONDS + 1)
    assert desk.transport.disconnecting
    assert desk.written() == b""


def test_a_slow_request_is_told_so() -> None:
    desk = Desk()
    desk.connection.dataReceived(b"GET /")
    desk.clock.advance(REQUEST_SECONDS / 2)
    desk.connection.dataReceived(b"slow")
    desk.clock.advance(REQUEST_SECONDS / 2)
    assert desk.written().startswith(b"HTTP/1.1 408 ")
    assert desk.transport.disconnecting


def test_a_late_answer_is_not_timed_out() -> None:
    desk = Desk()
    late: Deferred[Response] = Deferred()
    desk.site.answers = [late]
    desk.connection.dataReceived(HEAD % b"late")
    desk.clock.advance(IDLE_SECONDS * 2)
    late.callback(Response.of_text(200, "here"))
    assert desk.written().endswith(b"here")


def test_the_next_request_waits_for_the_answer() -> None:
    desk = Desk()
    late: Deferred[Response] = Deferred()
    desk.site.answers = [late, Response.of_text(200, "second")]
    desk.connection.dataReceived(HEAD % b"1" + HEAD % b"2")
    assert [request.path for request in desk.site.requests] == ["/1"]
    late.callback(Response.of_text(200, "first"))
    assert [request.path for request in desk.site.requests] == ["/1", "/2"]
    assert desk.written().index(b"first") < desk.written().index(b"second")


def test_a_lost_connection_cancels_its_answer() -> None:
    desk = Desk()
    cancelled: list[object] = []
    desk.site.answers = [Deferred(cancelled.append)]
    desk.connection.dataReceived(HEAD % b"1")
    desk.connection.connectionLost(Failure(ConnectionDone()))
    assert len(cancelled) == 1
    assert desk.lost == [desk.connection]
    assert desk.clock.getDelayedCalls() == []


def test_paths_and_queries_are_decoded() -> None:
    desk = Desk()
    desk.site.answers = [Response(200)]
    desk.connection.dataReceived(HEAD % b"a%20b?x=1&y=%C3%A4&x=2")
    request = desk.site.requests[0]
    assert (request.path, request.query) == ("/a b", {"x": "2", "y": "ä"})


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    desk = Desk()
    desk.site.answers = [Response.of_text(200, "one"), Response.of_text(200, "two")]
    desk.connection.pauseProducing()
    assert desk.transport.producerState == "paused"
    desk.connection.dataReceived(HEAD % b"1" + HEAD % b"2")
    assert desk.site.requests == []
    desk.connection.resumeProducing()
    assert [request.path for request in desk.site.requests] == ["/1", "/2"]
    assert desk.transport.producerState == "producing"


class Taker:
    """Takes a body; refuses at the word `bad`."""

    def __init__(self) -> None:
        self.seen: list[bytes | str] = []

    def data(self, data: bytes) -> None:
        if b"bad" in data:
            raise Refusal(418, "That is bad.")
        self.seen.append(data)

    def end(self) -> Answer:
        return Response.of_text(201, "taken")

    def lost(self) -> None:
        self.seen.append("lost")


POST = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"


def test_a_body_is_taken_as_it_comes() -> None:
    desk = Desk()
    taker = desk.site.taker = Taker()
    desk.connection.dataReceived(POST + b"four")
    assert taker.seen == [b"four"]
    desk.connection.dataReceived(b"more")
    assert taker.seen == [b"four", b"more"]
    assert desk.written().endswith(b"taken")
    desk.connection.connectionLost(Failure(ConnectionDone()))
    assert "lost" not in taker.seen


def test_each_piece_of_a_body_has_its_time() -> None:
    desk = Desk()
    taker = desk.site.taker = Taker()
    desk.connection.dataReceived(POST)
    for _ in range(5):
        desk.clock.advance(REQUEST_SECONDS * 0.9)
        desk.connection.dataReceived(b"1")
    desk.connection.hold(True)
    desk.clock.advance(REQUEST_SECONDS * 9)
    assert desk.written() == b""
    desk.connection.hold(False)
    desk.clock.advance(REQUEST_SECONDS + 1)
    assert desk.written().startswith(b"HTTP/1.1 408 ")
    assert taker.seen == [b"1"] * 5


def test_a_refused_body_ends_the_connection() -> None:
    desk = Desk()
    taker = desk.site.taker = Taker()
    desk.connection.dataReceived(POST + b"bad")
    assert desk.written().startswith(b"HTTP/1.1 418 ")
    assert taker.seen == ["lost"]
    desk.connection.dataReceived(b"rest")
    assert not desk.transport.disconnecting
    desk.clock.advance(LINGER_SECONDS)
    assert desk.transport.disconnecting


def test_a_body_that_is_cut_off() -> None:
    desk = Desk()
    taker = desk.site.taker = Taker()
    desk.connection.dataReceived(POST + b"four")
    desk.connection.connectionLost(Failure(ConnectionDone()))
    assert taker.seen == [b"four", "lost"]


class Maker:
    """Writes what the test tells it."""

    def __init__(self) -> None:
        self.output: Output | None = None
        self.seen: list[str] = []

    def begin(self, output: Output) -> None:
        self.output = output

    def hold(self, is_full: bool) -> None:
        self.seen.append("hold" if is_full else "go on")

    def stop(self) -> None:
        self.seen.append("stop")


def test_an_answer_in_pieces_and_another_request() -> None:
    desk, maker = Desk(), Maker()
    desk.site.answers = [StreamedResponse(200, source=maker), Response.of_text(200, "second")]
    desk.connection.dataReceived(HEAD % b"1" + HEAD % b"2")
    assert maker.output is not None
    maker.output.write(b"abc")
    desk.connection.pauseProducing()
    desk.connection.resumeProducing()
    assert b"Transfer-Encoding: chunked" in desk.written()
    assert desk.written().endswith(b"3\r\nabc\r\n")
    maker.output.finish()
    assert desk.written().endswith(b"second")
    assert maker.seen == ["hold", "go on"]


def test_an_answer_of_known_length_that_nobody_waits_for() -> None:
    desk, maker = Desk(), Maker()
    desk.site.answers = [StreamedResponse(200, source=maker, length=9)]
    desk.connection.dataReceived(HEAD % b"1")
    assert b"Content-Length: 9" in desk.written()
    desk.connection.connectionLost(Failure(ConnectionDone()))
    assert maker.seen == ["stop"]


def test_an_answer_that_cannot_be_ended() -> None:
    desk, maker = Desk(), Maker()
    desk.site.answers = [StreamedResponse(200, source=maker)]
    desk.connection.dataReceived(HEAD % b"1")
    assert maker.output is not None
    maker.output.fail()
    assert desk.transport.disconnected

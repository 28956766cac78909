"""Time-outs and lost connections, on a clock that the test moves."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from rsession.http_connection import IDLE_SECONDS, REQUEST_SECONDS, Answer, HttpConnection, Upgraded
from rsession.http_message import Request, Response

HEAD = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


class Site:
    """Answers what the test tells it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answers.pop(0)

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

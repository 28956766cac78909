"""Answers that take long, on a clock that the test moves."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from rsession.http_message import Response, StreamedResponse
from rsession.remote.patience import BLANK_SECONDS, QUICK_SECONDS, patiently
from rsession.remote.runs import MOST_KEPT, Runs


class Sink:
    """Where a streamed body goes."""

    def __init__(self) -> None:
        self.seen: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.seen.append(data)

    def finish(self) -> None:
        self.seen.append("end")

    def fail(self) -> None:
        self.seen.append("failed")


def late(answer: "Deferred[Response]", clock: Clock) -> StreamedResponse:
    """What is sent when the answer does not come soon."""
    given: list[Response] = []
    patiently(answer, clock).addCallback(given.append)
    clock.advance(QUICK_SECONDS)
    assert isinstance(given[0], StreamedResponse)
    return given[0]


def test_an_answer_that_comes_soon_is_left_alone() -> None:
    clock, answer, given = Clock(), Deferred[Response](), list[Response]()
    patiently(answer, clock).addCallback(given.append)
    quick = Response(200, b"{}")
    answer.callback(quick)
    assert given == [quick]
    assert clock.getDelayedCalls() == []


def test_blanks_until_it_comes() -> None:
    clock, sink, answer = Clock(), Sink(), Deferred[Response]()
    response = late(answer, clock)
    assert response.source is not None
    response.source.begin(sink)
    clock.advance(BLANK_SECONDS)
    clock.advance(BLANK_SECONDS)
    answer.callback(Response(200, b"{}"))
    assert sink.seen == [b" ", b" ", b" ", b"{}", "end"]
    assert clock.getDelayedCalls() == []


def test_it_fails_late() -> None:
    clock, sink, answer = Clock(), Sink(), Deferred[Response]()
    response = late(answer, clock)
    assert response.source is not None
    response.source.begin(sink)
    answer.errback(ValueError("R has ended"))
    assert sink.seen == [b" ", "failed"]


def test_nobody_waits_any_more() -> None:
    clock, sink, cancelled = Clock(), Sink(), list[bool]()
    answer: Deferred[Response] = Deferred(lambda _: cancelled.append(True))
    response = late(answer, clock)
    assert response.source is not None
    response.source.begin(sink)
    response.source.stop()
    assert cancelled == [True]
    assert clock.getDelayedCalls() == []


def test_the_last_hundred_runs_are_kept() -> None:
    runs, started = Runs(), list[str]()

    def begin(run_id: str) -> None:
        def start() -> "Deferred[dict[str, object]]":
            started.append(run_id)
            answer: Deferred[dict[str, object]] = Deferred()
            answer.callback({"id": run_id})
            return answer

        runs.begin(run_id, start).addErrback(lambda failure: failure.trap(CancelledError))

    for number in range(MOST_KEPT + 5):
        begin(str(number))
    begin(str(MOST_KEPT))
    assert len(started) == MOST_KEPT + 5
    begin("0")
    assert started[-1] == "0"

from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from rserver.master_client import MAX_OPEN_REQUESTS, TIMEOUT_SECONDS, MasterClient, MasterError
from rserver_core.frame import FrameReader, Message, encode, greeting


class Line:
    """A client on a transport, seen from the master's side."""

    def __init__(self) -> None:
        self.clock, self.transport = Clock(), StringTransport()
        self.events: list[Message] = []
        self.lost = 0
        self.client = MasterClient(self.clock, self.events.append, self._on_lost)
        self.client.makeConnection(self.transport)  # type: ignore[no-untyped-call]
        self.results: list[Any] = []

    def _on_lost(self) -> None:
        self.lost += 1

    def sent(self) -> list[Message]:
        data = self.transport.value()
        self.transport.clear()
        return list(FrameReader().feed(data))

    def give(self, **message: Any) -> None:
        self.client.dataReceived(encode(message))

    def greet(self) -> None:
        self.give(**greeting("master", options={"a": 1}))

    def ask(self, op: str = "list", **fields: Any) -> None:
        self.client.request(op, **fields).addBoth(lambda result: self.results.append(getattr(result, "value", result)))


@pytest.fixture
def line() -> Line:
    made = Line()
    assert made.sent() == [greeting("worker")]
    made.greet()
    return made


def test_the_masters_greeting_is_handed_on(line: Line) -> None:
    greetings: list[Message] = []
    line.client.greeted.addCallback(greetings.append)
    assert greetings[0]["options"] == {"a": 1}


@pytest.mark.parametrize(
    "first", [{"version": [2, 0], "role": "master"}, {"version": [1, 9], "role": "launcher"}, {"event": "stop"}, {}]
)
def test_somebody_else_is_hung_up_on(first: Message) -> None:
    line = Line()
    line.give(**first)
    assert line.transport.disconnecting


def test_the_masters_question_whether_we_live_is_answered_and_is_no_event(line: Line) -> None:
    line.give(event="ping")
    assert line.sent() == [{"event": "pong"}]


def test_answers_find_their_question(line: Line) -> None:
    line.ask("list")
    line.ask("signal", session="x", signal="TERM")
    first, second = line.sent()
    assert (first["op"], second["op"], second["signal"]) == ("list", "signal", "TERM")
    line.give(id=second["id"], ok=True)
    line.give(id=first["id"], sessions=[])
    assert [result.get("ok") for result in line.results] == [True, None]


def test_a_refusal_carries_code_message_and_all(line: Line) -> None:
    line.ask("launch", launch={})
    (question,) = line.sent()
    line.give(id=question["id"], error={"code": "exists", "message": "runs", "session": {"pid": 1}})
    (error,) = line.results
    assert isinstance(error, MasterError)
    assert (error.code, error.message, error.error["session"]) == ("exists", "runs", {"pid": 1})


@pytest.mark.parametrize("op", TIMEOUT_SECONDS)
def test_a_silent_master_is_not_waited_for(line: Line, op: str) -> None:
    line.ask(op)
    (question,) = line.sent()
    line.clock.advance(TIMEOUT_SECONDS[op])
    assert [error.code for error in line.results] == ["timeout"]
    line.give(id=question["id"], ok=True)
    assert len(line.results) == 1


def test_timers_end_with_their_question(line: Line) -> None:
    line.ask()
    line.give(id=1, sessions=[])
    assert not line.clock.getDelayedCalls()


def test_open_questions_are_bounded(line: Line) -> None:
    for _ in range(MAX_OPEN_REQUESTS + 1):
        line.ask()
    assert [error.code for error in line.results] == ["busy"]


def test_a_question_too_large_to_send_fails_alone(line: Line) -> None:
    line.ask("check_password", user="x" * (2 << 20))
    assert [error.code for error in line.results] == ["bad_request"]
    assert not line.transport.disconnecting


def test_events_go_to_the_listener(line: Line) -> None:
    line.give(event="launcher_restarted")
    assert line.events == [{"event": "launcher_restarted"}]


def test_the_end_of_the_channel_ends_every_question(line: Line) -> None:
    line.ask()
    line.client.connectionLost()
    assert [error.code for error in line.results] == ["closed"]
    assert line.lost == 1


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\2xx", b"\0\0\0\2[]"])
def test_a_broken_stream_is_hung_up_on(line: Line, data: bytes) -> None:
    line.client.dataReceived(data)
    assert line.transport.disconnecting


@pytest.mark.parametrize("answer", [{"id": "1"}, {"id": 99}, {"id": None}, {}])
def test_answers_to_nothing_are_passed_over(line: Line, answer: Message) -> None:
    line.ask()
    line.give(**answer)
    assert not line.results
    assert not line.transport.disconnecting

"""Numbered events: resumed by number, shared by equals, bounded."""

import select
import time
from pathlib import Path

import pytest

from tests.rsession.running import EventStream, RunningSession, connect, evaluate, ready

pytestmark = pytest.mark.r


def resident_megabytes(session: RunningSession) -> float:
    """Memory of the session process."""
    status = Path(f"/proc/{session.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def ids(stream: EventStream) -> list[int]:
    """Numbers of the events that arrived."""
    return [event["id"] for event in stream.seen]


def test_numbers_have_no_gaps(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "for (i in 1:200) { cat(i, '\\n'); message(i) }")
    assert ids(stream) == list(range(ids(stream)[0], ids(stream)[0] + len(stream.seen)))


def test_a_listener_resumes_where_it_was(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "cat('before\\n')")
    position = stream.position
    stream.close()
    session.type("cat('meanwhile\\n')")
    again = session.events(position)
    again.wait_for(lambda event: event["data"].get("text") == "meanwhile\n")
    assert ids(again)[0] == position + 1
    again.wait_for_prompt()


def test_listeners_are_equals(session: RunningSession, stream: EventStream) -> None:
    first, position = session.client_id, stream.position
    session.client_id = ""
    other = session.events(position)
    assert session.client_id != first
    evaluate(session, stream, "cat('for both\\n')")
    other.wait_for(lambda event: event["data"].get("text") == "for both\n")
    other.wait_for_prompt()
    assert [event for event in other.seen if event in stream.seen][:3] == other.seen[:3]


def test_long_poll_answers_at_once_what_is_there(session: RunningSession, stream: EventStream) -> None:
    before = stream.position
    evaluate(session, stream, "cat('polled\\n')")
    events = session.call("get_events", before)
    assert events[0]["id"] == before + 1
    assert any(event["data"].get("text") == "polled\n" for event in events)


def test_long_poll_waits_for_the_first_event(session: RunningSession, stream: EventStream) -> None:
    evaluate(session, stream, "invisible(later::later(function() cat('late\\n'), 0.5))")
    session.call("get_environment_state")
    last = session.call("client_init")["eventId"]
    start = time.monotonic()
    assert session.call("get_events", last)
    assert time.monotonic() - start < 5


def test_a_hundred_megabytes_arrive_whole(session: RunningSession, stream: EventStream) -> None:
    output = evaluate(session, stream, "cat(strrep('x', 1e8))")
    assert output.count("x") == len(output) == 100_000_000


def test_output_without_listener_is_bounded() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "1")
        stream.close()
        before = resident_megabytes(session)
        line = "some text that fills the log until it must forget what came first"
        session.type(f"for (i in 1:1e6) cat('{line}', i, '\\n'); cat('all', 'written', '\\n')")
        position = 0
        while True:
            events = session.call("get_events", position)
            position = events[-1]["id"] if events else position
            if any("all written" in event["data"].get("text", "") for event in events):
                break
        assert resident_megabytes(session) - before < 80
        first = session.call("get_events", 0)[0]
        assert first["type"] == "events_dropped"
        assert first["data"]["from"] == 1
        assert first["data"]["to"] == first["id"]
        assert first["data"]["bytes"] > 50_000_000
        state = session.call("client_init")["console"]
        assert sum(action["text"].count("\n") for action in state["actions"]) <= 1000


def test_a_stalled_listener_neither_fills_memory_nor_stops_the_others() -> None:
    with RunningSession() as session:
        stream = ready(session)
        stalled = session.events()
        before = resident_megabytes(session)
        session.type("for (i in 1:60) cat(strrep('~', 1e6))")
        stream.wait_for_prompt()
        assert stream.text().count("~") == 60_000_000
        assert resident_megabytes(session) - before < 80
        stalled.wait_for_type("events_dropped")
        stalled.wait_for_prompt()


def test_r_waits_for_the_only_listener() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("for (i in 1:60) cat(strrep('~', 1e6)); cat('end\\n')")
        select.select([stream.socket], [], [], 10)
        assert session.call("client_init")["console"]["busy"] is True
        stream.wait_for(lambda event: "end\n" in event["data"].get("text", ""))
        assert stream.text().count("~") == 60_000_000


@pytest.mark.parametrize(
    "query", ["", "clientId=nobody&after=0", "clientId={client}&after=-1", "clientId={client}&after=x"]
)
def test_a_wrong_handshake_is_refused(session: RunningSession, stream: EventStream, query: str) -> None:
    lines = [
        f"GET /events?{query.format(client=session.client_id)} HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    with connect(session.socket_path) as peer:
        peer.sendall("\r\n".join([*lines, "", ""]).encode())
        assert peer.recv(4096).split()[1] in (b"400", b"403")


def test_a_listener_that_talks_is_closed(session: RunningSession, stream: EventStream) -> None:
    from wsproto.connection import Connection, ConnectionType
    from wsproto.events import TextMessage

    talker = session.events(stream.position)
    talker.socket.sendall(Connection(ConnectionType.CLIENT).send(TextMessage("hello")))
    talker.wait_for_close()
    assert session.http("GET", "/ping").read() == b"pong"


def test_signs_of_life_keep_a_stream_open_and_find_who_is_gone() -> None:
    with RunningSession(["--websocket-ping-seconds=1"]) as session:
        stream = ready(session)
        silent = session.events()
        silent.socket.setblocking(False)
        # Three pings without an answer; whoever answers stays.
        with pytest.raises(AssertionError, match="no such event"):
            stream.wait_for_type("never", deadline=5.0)
        session.type("cat('still here')")
        stream.wait_for(lambda event: event["data"].get("text") == "still here")
        silent.socket.setblocking(True)
        silent.wait_for_close()

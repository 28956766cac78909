"""Numbers without gaps, bounded memory, honest reports of what was dropped."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rsession.event_log import EventLog, encode_json

EVERYTHING = 1 << 40


def read(log: EventLog, after: int, limit: int = EVERYTHING) -> list[dict[str, Any]]:
    events, _ = log.read(after, limit)
    return [json.loads(event) for event in events]


def test_events_are_numbered_from_one() -> None:
    log = EventLog()
    log.append("busy", {"value": True})
    log.append("busy", {"value": False})
    assert read(log, 0) == [
        {"id": 1, "type": "busy", "data": {"value": True}},
        {"id": 2, "type": "busy", "data": {"value": False}},
    ]
    assert read(log, 1)[0]["id"] == 2
    assert read(log, 2) == []
    assert read(log, 99) == []


def test_adjacent_text_is_merged_until_somebody_reads_it() -> None:
    log = EventLog()
    log.append_text("out", "a")
    log.append_text("out", "b")
    log.append_text("err", "c")
    log.append_text("out", "d")
    assert [event["data"]["text"] for event in read(log, 0)] == ["ab", "c", "d"]
    log.append_text("out", "e")
    assert [event["data"]["text"] for event in read(log, 0)] == ["ab", "c", "d", "e"]


def test_text_is_not_merged_across_another_event() -> None:
    log = EventLog()
    log.append_text("out", "a")
    log.append("busy", {})
    log.append_text("out", "b")
    assert [event["type"] for event in read(log, 0)] == ["out", "busy", "out"]


def test_a_read_is_bounded_and_tells_where_it_ended() -> None:
    log = EventLog()
    for _ in range(10):
        log.append("x", "y" * 100)
    events, last = log.read(0, 250)
    assert len(events) == last < 10


def test_what_is_dropped_is_reported_once() -> None:
    log = EventLog(limit=10_000)
    for _ in range(1000):
        log.append("x", "y" * 100)
    events = read(log, 5)
    assert events[0]["type"] == "events_dropped"
    assert events[0]["data"]["from"] == 6
    assert events[0]["data"]["to"] == events[0]["id"] == events[1]["id"] - 1
    assert events[-1]["id"] == 1000
    assert events[0]["data"]["bytes"] > 0


def test_the_newest_event_is_kept_however_large() -> None:
    log = EventLog(limit=10)
    log.append("x", "y" * 1000)
    assert read(log, 0)[-1]["data"] == "y" * 1000


def test_a_flood_of_text_is_bounded() -> None:
    log = EventLog(limit=1 << 20)
    for _ in range(200):
        log.append_text("out", "z" * 50_000)
    kept = sum(len(event["data"].get("text", "")) for event in read(log, 0))
    assert kept < 1_300_000


def test_lag_is_counted_in_bytes() -> None:
    log = EventLog(limit=100_000)
    log.append("x", "y" * 1000)
    assert log.bytes_after(log.last_id) == 0
    assert log.bytes_after(0) > 1000
    position = log.last_id
    for _ in range(500):
        log.append("x", "y" * 1000)
    assert log.bytes_after(position) > 90_000


@given(
    st.lists(st.tuples(st.sampled_from(["out", "err", "busy"]), st.text(max_size=50)), max_size=60),
    st.integers(200, 4000),
)
def test_reading_in_steps_misses_nothing_but_what_is_reported(steps: list[tuple[str, str]], limit: int) -> None:
    log = EventLog(limit)
    position = 0
    for index, (kind, text) in enumerate(steps):
        if kind == "busy":
            log.append(kind, text)
        else:
            log.append_text(kind, text)
        if index % 7 == 0:
            events, last = log.read(position, 300)
            numbers = [json.loads(event)["id"] for event in events]
            if numbers and json.loads(events[0])["type"] == "events_dropped":
                assert json.loads(events[0])["data"]["from"] == position + 1
                position = numbers.pop(0)
            assert numbers == list(range(position + 1, position + 1 + len(numbers)))
            position = last


def test_json_survives_half_a_surrogate_pair() -> None:
    assert json.loads(encode_json("a\ud800b")) == "a?b"

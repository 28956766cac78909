"""Frames: what one side encodes the other reads, however the bytes arrive."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.frame import MAX_FRAME, VERSION, FrameError, FrameReader, check_greeting, encode, greeting

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
MESSAGES = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5)


@given(MESSAGES, st.integers(1, 50))
def test_round_trip_in_pieces(messages: list[dict[str, object]], size: int) -> None:
    stream = b"".join(encode(message) for message in messages)
    reader = FrameReader()
    pieces = (stream[start : start + size] for start in range(0, len(stream), size))
    assert [message for piece in pieces for message in reader.feed(piece)] == messages


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_frame_error(data: bytes) -> None:
    try:
        list(FrameReader().feed(data))
    except FrameError:
        return


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'"text"'])
def test_bodies_that_are_no_message(body: bytes) -> None:
    with pytest.raises(FrameError):
        list(FrameReader().feed(struct.pack(">I", len(body)) + body))


def test_an_announced_giant_is_refused_before_it_arrives() -> None:
    with pytest.raises(FrameError, match="announced"):
        list(FrameReader().feed(struct.pack(">I", MAX_FRAME + 1)))


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(FrameError, match="over the limit"):
        encode({"text": "x" * MAX_FRAME})


def test_the_largest_frame_passes() -> None:
    message = {"t": "x" * (MAX_FRAME - len('{"t":""}'))}
    assert list(FrameReader().feed(encode(message))) == [message]


def test_text_with_a_lone_surrogate_travels() -> None:
    message = {"t": "\udcff"}
    assert encode(message)


def test_greetings() -> None:
    check_greeting(greeting("worker", x=1), "worker")
    check_greeting({"version": [VERSION[0], VERSION[1] + 5], "role": "worker"}, "worker")


@pytest.mark.parametrize(
    "message",
    [{}, {"version": [2, 0], "role": "worker"}, {"version": "1", "role": "worker"}, {"version": [], "role": "worker"}]
    + [{"version": list(VERSION), "role": role} for role in ("launcher", None, 1)],
)
def test_greetings_that_do_not_fit(message: dict[str, object]) -> None:
    with pytest.raises(FrameError):
        check_greeting(message, "worker")

"""Messages between workers."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver.web.request import RequestHead, Response, Target
from rserver.workers import wire

HEAD = RequestHead("GET", "/s/x", "a=b", {"host": "here"}, {"user-id": "u"}, ("::1", 5), True, "here", "/r")
TO_CONTROL: tuple[wire.ToControl, ...] = (
    wire.AskPage(1, wire.fields_of(HEAD), b"\0\xff"),
    wire.AskTarget(2, "s", wire.fields_of(HEAD)),
    wire.GiveUp(2),
    wire.InUse({"s": 2, "t": 0}, {"s": 1}, ("s",)),
    wire.Failed("s", "gone"),
    wire.Heard(7),
)
RESPONSE = Response(404, b"no", "text/plain", (("A", "b"),), ("c=d",), "no-store", "x")
TO_DATA: tuple[wire.ToData, ...] = (
    wire.Begin(1, {"ann": 5}),
    wire.Page(1, RESPONSE, ("e=f",)),
    wire.Found(2, wire.place_of(Target("/p", 7, (("X-RS-User", "ann"),))), None),
    wire.Found(3, None, RESPONSE),
    wire.Forget(("s",), True),
    wire.Void(1, "ann", 6),
    wire.CloseUser(2, "ann"),
)


def test_messages_arrive_as_they_were_sent_however_they_are_cut() -> None:
    sent = b"".join(map(wire.encode, (*TO_CONTROL,)))
    for size in (1, 3, 1000):
        reader = wire.FrameReader()
        pieces = (sent[start : start + size] for start in range(0, len(sent), size))
        assert tuple(wire.to_control(body) for piece in pieces for body in reader.feed(piece)) == TO_CONTROL
    (*bodies,) = wire.FrameReader().feed(b"".join(map(wire.encode, TO_DATA)))
    assert tuple(map(wire.to_data, bodies)) == TO_DATA


def test_heads_and_targets_come_back_as_they_were() -> None:
    (body,) = wire.FrameReader().feed(wire.encode(TO_CONTROL[0]))
    message = wire.to_control(body)
    assert isinstance(message, wire.AskPage)
    assert wire.head_of(message.head) == HEAD
    assert wire.target_of(("/p", 7, (("a", "b"),))) == Target("/p", 7, (("a", "b"),))


def test_one_side_does_not_speak_as_the_other() -> None:
    (body,) = wire.FrameReader().feed(wire.encode(TO_DATA[0]))
    with pytest.raises(wire.WireError):
        wire.to_control(body)


def test_frames_are_bounded_both_ways() -> None:
    with pytest.raises(wire.WireError):
        list(wire.FrameReader().feed(b"\xff\xff\xff\xff"))
    with pytest.raises(wire.WireError):
        wire.encode(wire.AskPage(1, wire.fields_of(HEAD), os.urandom(wire.MAX_FRAME)))


@given(st.binary(max_size=200))
def test_nonsense_is_told_as_such(body: bytes) -> None:
    for decode in (wire.to_control, wire.to_data):
        try:
            decode(body)
        except wire.WireError:
            continue


def test_response_that_would_split_a_head_is_refused() -> None:
    good = wire.encode(wire.Page(1, RESPONSE, ()))[4:]
    with pytest.raises(wire.WireError):
        wire.to_data(good.replace(b"no-store", b"no\r\nre: "))

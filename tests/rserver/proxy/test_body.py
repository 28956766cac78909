"""Framing of bodies."""

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rserver.proxy.body import (
    CHUNK_LINE_LIMIT,
    LAST_CHUNK,
    OVERHEAD_LIMIT,
    TRAILER_LIMIT,
    BadBody,
    Body,
    ChunkedBody,
    LengthBody,
    UntilCloseBody,
    chunk,
    response_body,
)
from rserver.proxy.http_head import parse_response
from tests.rserver.proxy.implementations import Reader


def decoded(body: Body, stream: bytes, size: int) -> tuple[bytes, bytes]:
    """Payload and surplus when the stream arrives in pieces of this size."""
    payload, surplus = b"", b""
    for start in range(0, len(stream), size):
        piece = stream[start : start + size]
        if body.done:
            surplus += piece
            continue
        more, rest = body.feed(piece)
        payload += more
        surplus += rest
    return payload, surplus


PAYLOADS = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
SIZES = st.integers(1, 30)


@given(st.binary(max_size=60), st.binary(max_size=20), SIZES)
def test_length(payload: bytes, surplus: bytes, size: int) -> None:
    body = LengthBody(len(payload))
    assert decoded(body, payload + surplus, size) == (payload, surplus)
    assert body.done


@given(PAYLOADS, st.binary(max_size=20), SIZES)
def test_chunks_round_trip(reader: Reader, payloads: list[bytes], surplus: bytes, size: int) -> None:
    stream = b"".join(piece for payload in payloads for piece in chunk(payload)) + LAST_CHUNK
    body = reader.chunked_body()
    assert decoded(body, stream + surplus, size) == (b"".join(payloads), surplus)
    assert body.done


@pytest.mark.parametrize(
    "stream",
    [
        b"3;name=value\r\nabc\r\n0\r\n\r\n",
        b'3 ; name="q"\r\nabc\r\n0;last\r\n\r\n',
        b"0003\r\nabc\r\n00\r\nTrailer: dropped\r\nX: y\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_extensions_and_trailers_are_dropped(reader: Reader, stream: bytes, size: int) -> None:
    body = reader.chunked_body()
    assert decoded(body, stream + b"next", size) == (b"abc", b"next")


HOSTILE = {
    "hexadecimal prefix": b"0x3\r\nabc\r\n",
    "minus": b"-1\r\n",
    "plus": b"+3\r\nabc\r\n",
    "underscore": b"1_0\r\n",
    "leading blank": b" 3\r\nabc\r\n",
    "trailing blank": b"3 \r\nabc\r\n",
    "empty size": b"\r\nabc\r\n",
    "huge size": b"1" + b"0" * 15 + b"\r\n",
    "bare line feed behind the size": b"3\nabc\r\n",
    "line feed in an extension": b"3;a\nb\r\nabc\r\n",
    "carriage return in an extension": b"3;a\rb\r\nabc\r\n",
    "NUL in an extension": b"3;\0\r\nabc\r\n",
    "extension without semicolon": b"3 a\r\nabc\r\n",
    "data longer than said": b"3\r\nabcd\r\n",
    "data shorter than said": b"3\r\nab\r\n0\r\n\r\n",
    "bare line feed behind the data": b"3\r\nabc\n0\r\n\r\n",
    "anything behind the data": b"3\r\nabcXY0\r\n\r\n",
    "long line": b"3;" + b"a" * CHUNK_LINE_LIMIT + b"\r\n",
    "folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    "bare line feed in the trailer": b"0\r\nA: b\n\r\n",
    "malformed trailer": b"0\r\nA b\r\n\r\n",
    "endless trailer": b"0\r\n" + b"A: b\r\n" * (TRAILER_LIMIT // 3),
}


@pytest.mark.parametrize(
    "start",
    [b"x", b"0x", b"3 a", b"3\r\nabcX", b"3\r\nabc\rX", b"3\r\nabc0", b"+", b";", b"\r", b"3;a\rb", b"3;\0", b"f" * 16],
)
def test_hopeless_chunk_lines_do_not_wait_for_an_end(reader: Reader, start: bytes) -> None:
    for size in (1, 100):
        with pytest.raises(BadBody):
            decoded(reader.chunked_body(), start, size)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_extensions_are_bounded_by_the_data_they_come_with(reader: Reader, size: int) -> None:
    small = b"1;" + b"a" * 200 + b"\r\nx\r\n"
    with pytest.raises(BadBody, match="more chunk extensions"):
        decoded(reader.chunked_body(), small * (OVERHEAD_LIMIT // 150), size)
    large = b"80;" + b"a" * 200 + b"\r\n" + b"x" * 128 + b"\r\n"
    assert decoded(reader.chunked_body(), large * 300, size)[0] == b"x" * 128 * 300
    assert decoded(reader.chunked_body(), b"1\r\nx\r\n" * 20_000, size)[0] == b"x" * 20_000


def test_trailer_lines_may_be_longer_than_chunk_lines(reader: Reader) -> None:
    body = reader.chunked_body()
    assert decoded(body, b"0\r\nDigest: " + b"a" * 4000 + b"\r\n\r\n", 100) == (b"", b"")
    assert body.done


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("size", [1, 5, 100_000])
def test_broken_chunks_are_refused(reader: Reader, stream: bytes, size: int) -> None:
    with pytest.raises(BadBody):
        decoded(reader.chunked_body(), stream, size)


@given(st.binary(max_size=80), SIZES)
def test_garbage_raises_nothing_but_bad_body(reader: Reader, stream: bytes, size: int) -> None:
    for start in (b"", b"3\r\nabc\r\n", b"0\r\n"):
        try:
            decoded(reader.chunked_body(), start + stream, size)
        except BadBody:
            continue


_PARTS = st.sampled_from(
    [b"3\r\nabc\r\n", b"0\r\n", b"\r\n", b"\n", b"3;x\r\n", b"abc", b"0x1\r\n", b" 1\r\na\r\n", b"1\na\n", b"A: b\r\n"]
)


@given(st.lists(_PARTS, max_size=6).map(b"".join))
@settings(deadline=None)
def test_h11_agrees_with_what_we_accept(reader: Reader, stream: bytes) -> None:
    body = reader.chunked_body()
    try:
        payload, surplus = decoded(body, stream, 100)
    except BadBody:
        return
    if not body.done:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + stream)
    events = [server.next_event()]
    while not isinstance(events[-1], h11.EndOfMessage):
        events.append(server.next_event())
    assert b"".join(bytes(event.data) for event in events if isinstance(event, h11.Data)) == payload
    assert server.trailing_data[0] == surplus


@pytest.mark.parametrize(
    ("head", "method", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "GET", LengthBody),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", ChunkedBody),
        (b"HTTP/1.1 200 OK\r\n\r\n", "GET", UntilCloseBody),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", LengthBody),
        (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", LengthBody),
        (b"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", "GET", LengthBody),
    ],
)
def test_how_an_answer_is_framed(head: bytes, method: str, kind: type) -> None:
    line = parse_response(head)
    body = response_body(line, line.status, method)
    assert type(body) is kind
    assert body.done == (method == "HEAD" or line.status in {204, 304})

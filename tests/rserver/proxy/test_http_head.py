"""Heads: what is refused, what is accepted, and that h11 understands what we accept in the same way."""

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rserver.proxy.http_head import (
    FIELD_LIMIT,
    HEAD_LIMIT,
    TARGET_LIMIT,
    BadHead,
    HeadBuffer,
    RequestLine,
)
from tests.rserver.proxy.implementations import Reader


def request(*lines: str, host: str = "Host: here") -> bytes:
    """A head of these lines; the first one is the request line."""
    fields = [host, *lines[1:]] if host else list(lines[1:])
    return "\r\n".join([lines[0], *fields, "", ""]).encode("latin-1")


GET = "GET / HTTP/1.1"
POST = "POST / HTTP/1.1"

HOSTILE = {
    "length and coding": (400, request(POST, "Content-Length: 3", "Transfer-Encoding: chunked")),
    "coding and length": (400, request(POST, "Transfer-Encoding: chunked", "Content-Length: 3")),
    "two lengths": (400, request(POST, "Content-Length: 3", "Content-Length: 4")),
    "two equal lengths": (400, request(POST, "Content-Length: 3", "Content-Length: 3")),
    "length list": (400, request(POST, "Content-Length: 3, 3")),
    "signed length": (400, request(POST, "Content-Length: +3")),
    "negative length": (400, request(POST, "Content-Length: -3")),
    "hexadecimal length": (400, request(POST, "Content-Length: 0x3")),
    "length with underscore": (400, request(POST, "Content-Length: 1_0")),
    "superscript length": (400, request(POST, "Content-Length: \xb2")),
    "length with blank inside": (400, request(POST, "Content-Length: 1 0")),
    "empty length": (400, request(POST, "Content-Length:")),
    "huge length": (400, request(POST, "Content-Length: " + "9" * 19)),
    "length in quotes": (400, request(POST, 'Content-Length: "3"')),
    "two codings": (400, request(POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")),
    "coding list": (400, request(POST, "Transfer-Encoding: gzip, chunked")),
    "chunked twice": (400, request(POST, "Transfer-Encoding: chunked, chunked")),
    "unknown coding": (400, request(POST, "Transfer-Encoding: xchunked")),
    "identity": (400, request(POST, "Transfer-Encoding: identity")),
    "coding with parameter": (400, request(POST, "Transfer-Encoding: chunked;q=1")),
    "coding in quotes": (400, request(POST, 'Transfer-Encoding: "chunked"')),
    "empty coding": (400, request(POST, "Transfer-Encoding:")),
    "coding with vertical tab": (400, request(POST, "Transfer-Encoding: \x0bchunked")),
    "coding in HTTP/1.0": (400, request("POST / HTTP/1.0", "Transfer-Encoding: chunked")),
    "blank before colon": (400, request(POST, "Content-Length : 3")),
    "tab before colon": (400, request(POST, "Transfer-Encoding\t: chunked")),
    "folded line": (400, request(GET, "X: a", " b")),
    "folded with tab": (400, request(GET, "X: a", "\tTransfer-Encoding: chunked")),
    "leading blank in first field": (400, request(GET, "X: a", host=" Host: here")),
    "field without colon": (400, request(GET, "nonsense")),
    "field without name": (400, request(GET, ": value")),
    "name with bracket": (400, request(GET, "X[]: a")),
    "name with latin-1": (400, request(GET, "X\xe9: a")),
    "NUL in value": (400, request(GET, "X: a\0b")),
    "NUL in name": (400, request(GET, "X\0: a")),
    "bare line feed in value": (400, request(GET, "X: a\nTransfer-Encoding: chunked")),
    "bare carriage return in value": (400, request(GET, "X: a\rTransfer-Encoding: chunked")),
    "carriage returns before line feed": (400, request(GET, "X: a\r")),
    "delete in value": (400, request(GET, "X: a\x7f")),
    "no host": (400, request(GET, host="")),
    "two hosts": (400, request(GET, "Host: there")),
    "two equal hosts": (400, request(GET, "Host: here")),
    "empty host": (400, request(GET, host="Host:")),
    "host with path": (400, request(GET, host="Host: here/there")),
    "host with user": (400, request(GET, host="Host: user@here")),
    "host with blank": (400, request(GET, host="Host: here there")),
    "host list": (400, request(GET, host="Host: here, there#")),
    "host with bad port": (400, request(GET, host="Host: here:80:80")),
    "host with percent": (400, request(GET, host="Host: he%72e")),
    "host with comma": (400, request(GET, host="Host: here,there")),
    "host with quote": (400, request(GET, host="Host: here'")),
    "long host": (400, request(GET, host="Host: " + "a" * 256)),
    "two origins": (400, request(GET, "Origin: http://here", "Origin: http://there")),
    "two tokens": (400, request(GET, "X-RS-CSRF-Token: a", "X-RS-CSRF-Token: b")),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "HTTP/2.0": (505, request("GET / HTTP/2.0")),
    "HTTP/1.2": (505, request("GET / HTTP/1.2")),
    "HTTP/1.10": (400, request("GET / HTTP/1.10")),
    "preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\n"),
    "lower-case http": (400, request("GET / http/1.1")),
    "two blanks": (400, request("GET  / HTTP/1.1")),
    "blank in target": (400, request("GET /a b HTTP/1.1")),
    "tab in request line": (400, request("GET\t/ HTTP/1.1")),
    "blank at the end": (400, request("GET / HTTP/1.1 ")),
    "blank at the start": (400, request(" GET / HTTP/1.1")),
    "empty line first": (400, b"\r\n" + request(GET)),
    "nothing at all": (400, b"\r\n\r\n"),
    "no method": (400, request("/ HTTP/1.1")),
    "long method": (400, request("A" * 33 + " / HTTP/1.1")),
    "method with brackets": (400, request("GE(T / HTTP/1.1")),
    "absolute form": (400, request("GET http://here/ HTTP/1.1")),
    "authority form": (400, request("CONNECT here:80 HTTP/1.1")),
    "connect to a path": (405, request("CONNECT / HTTP/1.1")),
    "trace": (405, request("TRACE / HTTP/1.1")),
    "asterisk form": (400, request("OPTIONS * HTTP/1.1")),
    "fragment": (400, request("GET /#here HTTP/1.1")),
    "latin-1 target": (400, request("GET /\xe9 HTTP/1.1")),
    "control byte in target": (400, request("GET /\x01 HTTP/1.1")),
    "long target": (414, request(f"GET /{'a' * TARGET_LIMIT} HTTP/1.1")),
    "many fields": (431, request(GET, *["X: a"] * FIELD_LIMIT)),
    "unknown expectation": (417, request(POST, "Expect: 200-ok", "Content-Length: 1")),
}


@pytest.mark.parametrize(("status", "head"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_heads_are_refused(reader: Reader, status: int, head: bytes) -> None:
    buffer = reader.head_buffer()
    buffer.push(head)
    with pytest.raises(BadHead) as refusal:
        reader.parse_request(buffer.take() or pytest.fail("incomplete"))
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("reason", "head"),
    [
        ("blank before the colon", request(GET, "X : a")),
        ("continues on a second line", request(GET, "X: a", " b")),
        ("no proper name", request(GET, "nonsense")),
        ("no proper name", request(GET, "X[]: a")),
        ("control byte", request(GET, "X: a\0b")),
        ("Transfer-Encoding together with Content-Length", request(POST, "Content-Length: 3", "Transfer-Encoding: x")),
        ("Transfer-Encoding in HTTP/1.0", request("POST / HTTP/1.0", "Transfer-Encoding: chunked")),
        ("other than chunked", request(POST, "Transfer-Encoding: gzip, chunked")),
        ("more than one content-length", request(POST, "Content-Length: 3", "Content-Length: 3")),
        ("needs a Host", request(GET, host="")),
        ("malformed Host", request(GET, host="Host: a b")),
    ],
)
def test_refusals_name_what_was_wrong(reader: Reader, reason: str, head: bytes) -> None:
    with pytest.raises(BadHead, match=reason):
        reader.parse_request(head)


@pytest.mark.parametrize(
    ("head", "length", "chunked"),
    [
        (request(GET), None, False),
        (request("GET / HTTP/1.0", host=""), None, False),
        (request(POST, "Content-Length: 0"), 0, False),
        (request(POST, "content-LENGTH:\t12 \t"), 12, False),
        (request(POST, "Transfer-Encoding: Chunked"), None, True),
        (request(GET, host="Host: [::1]:8787"), None, False),
        (request(GET, host="Host: here:8787"), None, False),
    ],
)
def test_framing_of_good_heads(reader: Reader, head: bytes, length: int | None, chunked: bool) -> None:
    line = reader.parse_request(head)
    assert (line.length, line.chunked, line.has_body) == (length, chunked, chunked or bool(length))


@pytest.mark.parametrize(
    ("lines", "upgrade"),
    [
        ((GET, "Connection: Upgrade", "Upgrade: websocket"), True),
        ((GET, "Connection: keep-alive, upgrade", "Upgrade: WebSocket"), True),
        ((GET, "Upgrade: websocket"), False),
        ((GET, "Connection: Upgrade"), False),
        ((GET, "Connection: Upgrade", "Upgrade: h2c"), False),
        ((GET, "Connection: Upgrade", "Upgrade: websocket, h2c"), False),
        ((POST, "Connection: Upgrade", "Upgrade: websocket"), False),
        (("GET / HTTP/1.0", "Connection: Upgrade", "Upgrade: websocket"), False),
        ((GET, "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1"), False),
    ],
)
def test_only_a_websocket_handshake_is_an_upgrade(reader: Reader, lines: tuple[str, ...], upgrade: bool) -> None:
    assert reader.parse_request(request(*lines)).upgrade is upgrade


@pytest.mark.parametrize(
    ("lines", "keep_alive"),
    [
        ((GET,), True),
        ((GET, "Connection: close"), False),
        ((GET, "Connection: x, Close"), False),
        (("GET / HTTP/1.0", "Connection: keep-alive"), False),
    ],
)
def test_keep_alive(reader: Reader, lines: tuple[str, ...], keep_alive: bool) -> None:
    assert reader.parse_request(request(*lines)).keep_alive is keep_alive


def test_repeated_fields_are_joined(reader: Reader) -> None:
    line = reader.parse_request(request(GET, "Accept: a", "Cookie: x=1", "Accept: b", "Cookie: y=2"))
    assert (line.headers["accept"], line.headers["cookie"]) == ("a, b", "x=1; y=2")


def feed(buffer: HeadBuffer, piece: bytes) -> bytes | None:
    """One piece in, a head out if it is complete."""
    buffer.push(piece)
    return buffer.take()


class TestHeadBuffer:
    def test_gives_heads_one_by_one_however_bytes_arrive(self, reader: Reader) -> None:
        stream = request(GET) + request(POST, "Content-Length: 3")
        buffer, heads = reader.head_buffer(), []
        for byte in stream:
            buffer.push(bytes([byte]))
            head = buffer.take()
            if head is not None:
                heads.append(head)
        assert (b"".join(heads), len(heads), len(buffer)) == (stream, 2, 0)

    def test_keeps_what_follows_a_head(self, reader: Reader) -> None:
        buffer = reader.head_buffer()
        buffer.push(request(GET) + b"body")
        assert buffer.take() == request(GET)
        assert buffer.take_rest() == b"body"

    def test_head_of_the_full_size_is_taken(self, reader: Reader) -> None:
        head = request(GET, "X: " + "a" * (HEAD_LIMIT - len(request(GET, "X: "))))
        buffer = reader.head_buffer()
        buffer.push(head)
        assert buffer.take() == head

    @pytest.mark.parametrize("complete", [True, False])
    def test_larger_heads_are_refused(self, reader: Reader, complete: bool) -> None:
        head = request(GET, "X: " + "a" * (1 + HEAD_LIMIT - len(request(GET, "X: "))))
        buffer = reader.head_buffer()
        buffer.push(head if complete else head[:-1])
        with pytest.raises(BadHead, match="larger") as refusal:
            buffer.take()
        assert refusal.value.status == 431

    @pytest.mark.parametrize("start", [b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\rH", b"\x16\x03\x01", b"GET /\0"])
    @pytest.mark.parametrize("split", [False, True])
    def test_hopeless_starts_do_not_wait_for_an_end(self, reader: Reader, start: bytes, split: bool) -> None:
        buffer = reader.head_buffer()
        pieces = [start[i : i + 1] for i in range(len(start))] if split else [start]
        with pytest.raises(BadHead):
            assert [feed(buffer, piece) for piece in pieces] == []

    @pytest.mark.parametrize("complete", [True, False])
    def test_first_line_beyond_the_limit_is_a_long_address(self, reader: Reader, complete: bool) -> None:
        buffer = reader.head_buffer()
        buffer.push(f"GET /{'a' * HEAD_LIMIT}".encode() + (b" HTTP/1.1\r\nHost: here\r\n\r\n" if complete else b""))
        with pytest.raises(BadHead, match="address") as refusal:
            buffer.take()
        assert refusal.value.status == 414

    def test_an_empty_line_split_anywhere_is_no_bare_break(self, reader: Reader) -> None:
        for cut in range(1, len(request(GET))):
            buffer = reader.head_buffer()
            buffer.push(request(GET)[:cut])
            assert buffer.take() is None
            buffer.push(request(GET)[cut:])
            assert buffer.take() == request(GET)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/1.1 600 High\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"200 OK\r\n\r\n",
        b"HTTP/1.1 200 O\x01K\r\n\r\n",
    ],
)
def test_hostile_answers_are_refused(reader: Reader, head: bytes) -> None:
    with pytest.raises(BadHead):
        reader.parse_response(head)


def test_answer_head(reader: Reader) -> None:
    head = reader.parse_response(b"HTTP/1.1 204\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: Close\r\n\r\n")
    assert (head.status, head.reason, set(head.connection)) == (204, "", {"close"})
    assert head.fields == [("set-cookie", "a"), ("set-cookie", "b"), ("connection", "Close")]


# Against h11: fragments of heads in all combinations; nothing that we accept may mean something else to it.

_NAMES = st.sampled_from(
    ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "Cookie", "X-A", "x_b", "TE"]
) | st.text("abC-_:\t \x00\x0b\r\n()", min_size=1, max_size=4)
_NUMBERS = st.sampled_from(["0", "3", "+3", "0x3", "1_0", "\xb2", "3, 3", " 3 "])
_WORDS = st.sampled_from(
    ["here", "chunked", "Chunked", "gzip, chunked", "\x0bchunked", "chunked\x0c", "close", "upgrade", "websocket"]
)
_ODDITIES = st.sampled_from(["100-continue", "a\nb", "a\rb", "a\r\n b", "", "a\0"])
_VALUES = _NUMBERS | _WORDS | _ODDITIES | st.text(st.characters(max_codepoint=255), max_size=8)
_FIELDS = st.builds("{}{}{}".format, _NAMES, st.sampled_from([":", ": ", " :", ":\t", ""]), _VALUES)
_LINES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["GET", "POST", "HEAD", "get", "G T", "CONNECT", ""]),
    st.sampled_from([" ", "  ", "\t"]),
    st.sampled_from(["/", "/a?b=c", "//x", "*", "http://here/", "/a b", "/\xe9", "/#f", ""]),
    st.sampled_from([" ", "  "]),
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 "]),
)
_BREAKS = st.sampled_from(["\r\n"] * 8 + ["\n", "\r", "\r\r\n"])


@st.composite
def _heads(draw: st.DrawFn) -> bytes:
    lines = [draw(_LINES), draw(st.sampled_from(["Host: here", "Host: here", "A: b"]))]
    lines += draw(st.lists(_FIELDS, max_size=4))
    return ("".join(line + draw(_BREAKS) for line in lines) + "\r\n").encode("latin-1")


def _ours(reader: Reader, data: bytes) -> RequestLine | None:
    buffer = reader.head_buffer()
    buffer.push(data)
    try:
        block = buffer.take()
        return None if block is None else reader.parse_request(block)
    except BadHead:
        return None


def _framing_of_h11(connection: h11.Connection, event: h11.Request) -> tuple[int | None, bool]:
    names = dict(event.headers)
    chunked = names.get(b"transfer-encoding") == b"chunked"
    return (int(names[b"content-length"]) if b"content-length" in names else None), chunked


@given(_heads())
@settings(max_examples=600, deadline=None)
@example(request(POST, "Content-Length: 3"))
@example(request(POST, "Transfer-Encoding: chunked"))
def test_h11_agrees_with_what_we_accept(reader: Reader, data: bytes) -> None:
    ours = _ours(reader, data)
    if ours is None:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    event = connection.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method.decode(), event.target.decode()) == (ours.method, ours.target)
    assert event.http_version == f"1.{ours.version}".encode()
    assert _framing_of_h11(connection, event) == (ours.length, ours.chunked)
    fields = [(name.decode(), value.decode("latin-1").lower()) for name, value in event.headers]
    assert fields == [(name, value.lower()) for name, value in ours.fields]


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_but_bad_head(reader: Reader, data: bytes) -> None:
    _ours(reader, data)
    _ours(reader, b"GET / HTTP/1.1\r\nHost: a\r\n" + data + b"\r\n\r\n")

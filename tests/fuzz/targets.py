"""What is fuzzed: each target takes any bytes and raises AssertionError when one of its promises does not hold."""

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes

import h11

from rserver.proxy import forward
from rserver.proxy.body import LAST_CHUNK, BadBody, Body, chunk, response_body
from rserver.proxy.http_head import FIELD_LIMIT, BadHead, HeadBuffer, RequestLine, StatusLine
from rserver.proxy.router import BadPath, PortRoute, SessionRoute, route, split_target
from rserver.proxy.trusted_proxies import Browser, TrustedProxies
from tests.fuzz.strict_rules import breach
from tests.rserver.proxy.differences.listed import differences, listed
from tests.rserver.proxy.differences.readings import Reading, by_h11, by_us
from tests.rserver.proxy.implementations import READERS, Reader

Target = Callable[[bytes], None]

_LISTED = frozenset(listed())
# What http-front.md says that h11 does not take: a blank before an extension, trailers that pose as framing.
_IS_LISTED = re.compile(rb"[ \t];|\r\n(?:content-length|transfer-encoding):", re.IGNORECASE)
_PIECES = (1, 2, 3, 7, 16, 61, 300, 1 << 20)
_PLAIN = Browser("192.0.2.1", False, "here:8787", "/root")
_PROXIES = TrustedProxies(["10.0.0.0/8", "::1"])
_SAID = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-rstudio-request", "x-rstudio-root-path")


def requests(data: bytes) -> None:
    """All readers agree however the bytes arrive; what is taken breaks no rule and is to h11 what it is to us."""
    size, stream = _split(data)
    readings = [by_us(reader, stream) for reader in READERS.values()]
    assert len({reading.requests for reading in readings}) == 1, readings
    for reader in READERS.values():
        in_pieces = _heads(reader, stream, size)
        at_once = _heads(reader, stream, len(stream) or 1)
        assert in_pieces == at_once, (in_pieces, at_once)
    for block in at_once:
        assert breach(block) is None, (breach(block), block)
        _check_rewritten(block)
    theirs = by_h11(stream)
    found = set(differences("h11", stream, readings[0], Reading(theirs.requests, theirs.end)))
    assert found <= _LISTED, (found, readings[0], theirs)


def chunks(data: bytes) -> None:
    """A chunked body is refused or read the same however it arrives, by all readers and by h11, and framed anew."""
    size, stream = _split(data)
    results = [
        _decoded(reader.chunked_body(), stream, step)
        for reader in READERS.values()
        for step in (size, len(stream) or 1)
    ]
    assert len(set(results)) == 1, results
    if results[0] is None:
        return
    payload, surplus, done = results[0]
    if done and not _IS_LISTED.search(stream):
        assert _chunks_by_h11(stream) == (payload, surplus)
    if payload:
        again = b"".join(chunk(payload)) + LAST_CHUNK
        assert all(_decoded(reader.chunked_body(), again, size) == (payload, b"", True) for reader in READERS.values())


def answers(data: bytes) -> None:
    """The head of an answer is refused, or what we pass on is one head, with h11's status and no cookie of ours."""
    lines: set[tuple[int, int | None, bool] | None] = set()
    for reader in READERS.values():
        line = _answer(reader, data)
        lines.add(None if line is None else (line.status, line.length, line.chunked))
        if line is not None:
            response_body(line, line.status, "GET")
            _check_answer(line)
    assert len(lines) == 1, lines


def cookies(data: bytes) -> None:
    """Our cookies are taken out of a Cookie field and all others stay, in order; the first of a name counts."""
    value = _printable(data)
    kept = forward.foreign_cookies(value)
    assert forward.foreign_cookies(kept) == kept
    ours, theirs = forward.parse_cookies(value), forward.parse_cookies(kept)
    assert not {name.lower() for name in theirs} & forward.OWN_COOKIES
    assert theirs == {name: content for name, content in ours.items() if name.lower() not in forward.OWN_COOKIES}
    assert all(part in value for part in kept.split("; "))
    assert len(kept) <= len(value) + value.count(";")


def forwarded(data: bytes) -> None:
    """Strangers are not believed; of a trusted proxy only addresses, hosts and paths are that are well-formed."""
    values = [_printable(line) for line in data.split(b"\n")]
    headers = dict(zip(_SAID, values, strict=False))
    assert _PROXIES.browser("192.0.2.1", headers, _PLAIN) == _PLAIN
    seen = _PROXIES.browser("10.1.2.3", headers, _PLAIN)
    assert str(ip_address(seen.address)) == seen.address
    assert "%" not in seen.address
    assert re.fullmatch(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", seen.host, re.ASCII), seen
    assert seen.root_path == "" or re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", seen.root_path, re.ASCII), seen
    assert not {".", ".."} & set(seen.root_path.split("/")), seen


def paths(data: bytes) -> None:
    """A path that is not refused has no segment that leads elsewhere, also when it is decoded; its route keeps it."""
    target = "/" + "".join(character for character in _printable(data) if "!" <= character <= "~")
    for root_path in ("", "/root"):
        try:
            path, query = split_target(target, root_path)
        except BadPath:
            continue
        decoded = unquote_to_bytes(path)
        assert b"\0" not in decoded
        segments = re.split(rb"[/\\]", decoded)
        assert not any(segment.partition(b";")[0] in {b".", b".."} for segment in segments), (target, segments)
        assert f"{path}?{query}".rstrip("?/").endswith(target.removeprefix(root_path).rstrip("?/")) or root_path
        _check_route(path)


TARGETS: dict[str, Target] = {
    "requests": requests,
    "chunks": chunks,
    "answers": answers,
    "cookies": cookies,
    "forwarded": forwarded,
    "paths": paths,
}


def _split(data: bytes) -> tuple[int, bytes]:
    """In pieces of which size the rest arrives."""
    return (_PIECES[data[0] % len(_PIECES)], data[1:]) if data else (1, b"")


def _printable(data: bytes) -> str:
    """As the value of a field that was read."""
    return re.sub(r"[^\t\x20-\x7e\x80-\xff]", "", data.decode("latin-1")).strip(" \t")


def _heads(reader: Reader, stream: bytes, size: int) -> list[bytes]:
    """The heads in a stream of requests without bodies, up to the first that is refused."""
    buffer: HeadBuffer = reader.head_buffer()
    found: list[bytes] = []
    with suppress(BadHead):
        for start in range(0, len(stream), size):
            buffer.push(stream[start : start + size])
            while (block := buffer.take()) is not None:
                reader.parse_request(block)
                found.append(block)
    return found


def _check_rewritten(block: bytes) -> None:
    """What goes to the session is one head that breaks no rule, with the same framing and Host and our line once."""
    if block.count(b"\r\n") > FIELD_LIMIT - 10:
        return  # lines of ours go beyond the limit
    for reader in READERS.values():
        line = reader.parse_request(block)
        rewritten = forward.request_head(line, "/rest", b"X-RS-User: me\r\n")
        again = reader.parse_request(rewritten)
        assert breach(rewritten) is None, (breach(rewritten), rewritten)
        assert rewritten.count(b"\r\n\r\n") == 1
        assert (again.length, again.chunked) == (line.length, line.chunked) or line.upgrade
        assert again.headers["host"] == line.headers.get("host", "localhost")
        assert again.headers["x-rs-user"] == "me"
        _check_kept(line, again)


def _check_kept(line: RequestLine, again: RequestLine) -> None:
    assert {"keep-alive", "te", "trailer", "proxy-connection", "forwarded", "expect"}.isdisjoint(again.headers)
    assert again.upgrade == line.upgrade
    assert not {name.lower() for name in forward.parse_cookies(again.headers.get("cookie"))} & forward.OWN_COOKIES
    assert ("content-type" in again.headers) == ("content-type" in line.headers)


def _answer(reader: Reader, data: bytes) -> StatusLine | None:
    buffer: HeadBuffer = reader.head_buffer()
    buffer.push(data)
    try:
        block = buffer.take()
        return None if block is None else reader.parse_response(block)
    except BadHead:
        return None


def _check_answer(line: StatusLine) -> None:
    head = forward.response_head(line, "content-length: 0\r\n", ("a=1",))
    assert head.count(b"\r\n\r\n") == 1
    assert head.endswith(b"\r\n\r\n")
    fields = [field.partition(b":")[0] for field in head.split(b"\r\n")[1:-2]]
    assert {b"connection", b"transfer-encoding", b"keep-alive", b"upgrade"}.isdisjoint(fields)
    assert fields.count(b"content-length") == 1
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    client.receive_data(head)
    if line.status >= 200:
        answer = client.next_event()
        assert isinstance(answer, h11.Response)
        assert answer.status_code == line.status


def _decoded(body: Body, stream: bytes, size: int) -> tuple[bytes, bytes, bool] | None:
    payload = surplus = b""
    try:
        for start in range(0, len(stream), size):
            piece = stream[start : start + size]
            if body.done:
                surplus += piece
                continue
            more, rest = body.feed(piece)
            payload, surplus = payload + more, surplus + rest
    except BadBody:
        return None
    return payload, surplus, body.done


def _chunks_by_h11(stream: bytes) -> tuple[bytes, bytes]:
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + stream)
    payload = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            payload += event.data
    return payload, server.trailing_data[0]


def _check_route(path: str) -> None:
    where = route(path)
    if isinstance(where, SessionRoute):
        assert path == f"/s/{where.session_id}{where.rest}"
        assert where.rest.startswith("/")
        assert not where.rest.startswith("/p/")
    elif isinstance(where, PortRoute):
        assert where.port in range(1 << 16)
        assert where.rest.startswith("/")
        assert path.startswith(f"/s/{where.session_id}/p/")

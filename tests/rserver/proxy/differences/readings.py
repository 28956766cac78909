"""What a reader makes of the bytes of one connection: the requests it takes, and why it takes no more."""

from collections.abc import Iterator
from dataclasses import dataclass

import h11

from rserver.proxy.body import BadBody, Body, LengthBody
from rserver.proxy.http_head import BadHead, RequestLine
from rserver.proxy.router import BadPath, split_target
from tests.rserver.proxy.implementations import Reader
from tests.rserver.proxy.smuggling.cases import Request

WAITS = "waits for more"
CLOSES = "closes as it was asked to"


@dataclass(frozen=True)
class Reading:
    """The requests that were taken, and what ended it."""

    requests: tuple[Request, ...]
    end: str


def by_us(reader: Reader, data: bytes) -> Reading:
    """As the front reads. An ambiguous path ends the reading too, though the connection could go on."""
    buffer = reader.head_buffer()
    buffer.push(data)
    found: list[Request] = []
    try:
        while (block := buffer.take()) is not None:
            line = reader.parse_request(block)
            split_target(line.target, "")
            body, rest = _body(reader, line, buffer.take_rest())
            if body is None:
                return Reading(tuple(found), WAITS)
            found.append((line.method, line.target, body))
            if not line.keep_alive:
                return Reading(tuple(found), CLOSES)
            buffer.push(rest)
    except (BadHead, BadBody, BadPath) as bad:
        return Reading(tuple(found), str(bad))
    return Reading(tuple(found), WAITS)


def by_h11(data: bytes) -> Reading:
    """As an h11 server reads that answers everything with 404."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=128 * 1024)
    connection.receive_data(data)
    found: list[Request] = []
    try:
        found.extend(_requests(connection))
    except h11.RemoteProtocolError as error:
        return Reading(tuple(found), str(error))
    return Reading(tuple(found), WAITS)


def _body(reader: Reader, line: RequestLine, data: bytes) -> tuple[bytes | None, bytes]:
    body: Body = reader.chunked_body() if line.chunked else LengthBody(line.length or 0)
    if body.done:
        return b"", data
    payload, rest = body.feed(data)
    return (payload, rest) if body.done else (None, b"")


def _requests(connection: h11.Connection) -> Iterator[Request]:
    while True:
        head, body = None, b""
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                return
        assert head is not None
        yield head.method.decode(), head.target.decode("latin-1"), body
        connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()

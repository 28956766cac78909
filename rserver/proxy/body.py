"""Framing of message bodies: bytes in, payload and surplus out. No socket, nothing is kept but a started chunk line."""

import re
from enum import Enum, auto
from typing import Protocol

from rserver.proxy.http_head import Head

CHUNK_LINE_LIMIT = 256
TRAILER_LIMIT = 8 * 1024
# Each chunk line may be 16 bytes and twice its data long, and all of them this much more: extensions are no body.
OVERHEAD_LIMIT = 16 * 1024

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15}+)(?:[ \t]*+;[\t\x20-\x7e\x80-\xff]*+)?")
_CHUNK_LINE_START = re.compile(rb"[0-9A-Fa-f]{1,15}+(?:[ \t]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?)?\r?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+")
_BODILESS = frozenset({204, 304})


class BadBody(Exception):
    """The peer broke the framing of a body; the text says how."""


class Body(Protocol):
    """Decoder of one body. `done` once its end was seen."""

    done: bool

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """(payload, surplus behind the end of the body). BadBody when the framing is broken."""


class LengthBody:
    """A body of known length in bytes."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return data, b""
        self.done = True
        if size == self._left:
            return data, b""
        return data[: self._left], data[self._left :]


class UntilCloseBody:
    """A body that ends with the connection; its end is for the caller to see."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        return data, b""


class _Line(Enum):
    """What the next line of a chunked body is."""

    SIZE = auto()
    END_OF_DATA = auto()
    TRAILER = auto()


class ChunkedBody:
    """A chunked body. Extensions and trailers are checked and dropped."""

    __slots__ = ("_left", "_next", "_overhead", "_started", "_trailer_size", "done")

    def __init__(self) -> None:
        self.done = False
        self._left = 0
        self._next = _Line.SIZE
        self._started = b""
        self._overhead = 0
        self._trailer_size = 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See Body."""
        if self._left > len(data):
            self._left -= len(data)
            return data, b""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self.done:
            if self._left:
                piece = data[position : position + self._left]
                pieces.append(piece)
                self._left -= len(piece)
                position += len(piece)
            else:
                position = self._read_line(data, position)
        return b"".join(pieces), data[position:]

    def _read_line(self, data: bytes, position: int) -> int:
        """Takes one line, or the part of it that is here. Returns the position behind it."""
        limit = TRAILER_LIMIT if self._next is _Line.TRAILER else CHUNK_LINE_LIMIT
        end = data.find(b"\n", position, position + limit)
        stop = len(data) if end < 0 else end + 1
        line = self._started + data[position:stop]
        if len(line) > limit:
            raise BadBody("chunk line or trailer too long")
        if end < 0:
            self._check_hope(line)
            self._started = line
            return stop
        self._started = b""
        if not line.endswith(b"\r\n"):
            raise BadBody("bare line feed between chunks")
        self._accept(line[:-2])
        return stop

    def _check_hope(self, line: bytes) -> None:
        """What cannot become a good line is refused before its end, which may never come."""
        if self._next is _Line.END_OF_DATA and line != b"\r":
            raise BadBody("chunk is longer than it says")
        if self._next is _Line.SIZE and _CHUNK_LINE_START.fullmatch(line) is None:
            raise BadBody("malformed chunk size")

    def _accept(self, line: bytes) -> None:
        if self._next is _Line.SIZE:
            self._size(line)
        elif self._next is _Line.TRAILER:
            self._trailer(line)
        elif line:
            raise BadBody("chunk is longer than it says")
        else:
            self._next = _Line.SIZE

    def _size(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise BadBody("malformed chunk size")
        self._left = size = int(match[1], 16)
        self._overhead = max(0, self._overhead + len(line) - 16 - 2 * size)
        if self._overhead > OVERHEAD_LIMIT:
            raise BadBody("more chunk extensions than data")
        self._next = _Line.END_OF_DATA if size else _Line.TRAILER

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_size += len(line)
        if self._trailer_size > TRAILER_LIMIT or _TRAILER.fullmatch(line) is None:
            raise BadBody("malformed or oversized trailer")


def request_body(head: Head) -> Body:
    """Decoder for the body of a request."""
    return ChunkedBody() if head.chunked else LengthBody(head.length or 0)


def response_body(head: Head, status: int, method: str) -> Body:
    """Decoder for the body of the answer to a request of this method."""
    if method == "HEAD" or status in _BODILESS or status < 200:
        return LengthBody(0)
    if head.chunked:
        return ChunkedBody()
    return UntilCloseBody() if head.length is None else LengthBody(head.length)


def chunk(payload: bytes) -> list[bytes]:
    """A payload (not empty) as the pieces of one chunk."""
    return [b"%x\r\n" % len(payload), payload, b"\r\n"]


LAST_CHUNK = b"0\r\n\r\n"

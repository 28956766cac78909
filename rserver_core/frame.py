"""Frames between our processes: 4-byte big-endian length, then one JSON object in UTF-8.

Defined in docs/reference/internal-protocols.md §1. Sans-IO: bytes in, messages out; it never sees a socket.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

MAX_FRAME = 1 << 20
VERSION = (1, 0)

Message = dict[str, Any]

_LENGTH = struct.Struct(">I")


class FrameError(Exception):
    """The other side sent something that is no frame of this protocol; the channel must be closed."""


def encode(message: Message) -> bytes:
    """The frame of one message; FrameError when it is larger than MAX_FRAME."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if len(body) > MAX_FRAME:
        raise FrameError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Message:
    """The message in one frame's body."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame holds no JSON: {error}") from None
    if not isinstance(message, dict):
        raise FrameError("a frame holds no JSON object")
    return message


class FrameReader:
    """Cuts a byte stream into messages: feed() what arrived, iterate over what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Messages completed by data, in order; FrameError ends the stream for good."""
        self._buffer += data
        while (body := self._next_body()) is not None:
            yield decode(body)

    def _next_body(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_FRAME:
            raise FrameError(f"a frame of {length} bytes is announced, the limit is {MAX_FRAME}")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body


def greeting(role: str, **fields: Any) -> Message:
    """The first message of each side."""
    return {"version": list(VERSION), "role": role, **fields}


def check_greeting(message: Message, role: str) -> None:
    """FrameError unless message greets as role with our major version."""
    version = message.get("version")
    if not isinstance(version, list) or not version or version[0] != VERSION[0]:
        raise FrameError(f"the other side speaks protocol {version!r}, this one {list(VERSION)}")
    if message.get("role") != role:
        raise FrameError(f"expected a {role}, met {message.get('role')!r}")

"""What the worker with control and the data workers say to each other: frames of MessagePack, bounded. Sans-IO.

Defined in docs/reference/internal-protocols.md §1.1.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from rserver.web.request import RequestHead, Response, Target

MAX_FRAME = 16 << 20
VERSION = 1
MOST_UNSENT = 64 << 20
"""Bytes that may wait to be read by the other side; with more it does not read, and is hung up on."""

Fields = tuple[str, str, str, dict[str, str], dict[str, str], tuple[str, int], bool, str, str]
Place = tuple[str, int, tuple[tuple[str, str], ...]]

_T = TypeVar("_T")
_LENGTH = struct.Struct(">I")


class WireError(Exception):
    """The other side sent what is no message of this protocol; the connection must be closed."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Each is tagged with its name."""


class AskPage(_Message, frozen=True):
    """A page request. What the data worker thinks of its cookies is not said: control looks itself."""

    number: int
    head: Fields
    body: bytes


class AskTarget(_Message, frozen=True):
    """Where may requests like this one for this session go?"""

    number: int
    session: str
    head: Fields


class GiveUp(_Message, frozen=True):
    """Nobody waits for the answer to this question any more."""

    number: int


class InUse(_Message, frozen=True):
    """What changed: requests and WebSockets carried by session, and event streams; sessions that answered."""

    connections: dict[str, int]
    listeners: dict[str, int]
    answered: tuple[str, ...]


class Failed(_Message, frozen=True):
    """A session's socket could not be reached, or was lost."""

    session: str
    reason: str


class Heard(_Message, frozen=True):
    """Everything up to this order was carried out."""

    order: int


class Ping(_Message, frozen=True):
    """Does control still answer?"""


class Pong(_Message, frozen=True):
    """It does."""


class Begin(_Message, frozen=True):
    """The first message of control: which cookies are void."""

    version: int
    revocations: dict[str, int]


class Page(_Message, frozen=True):
    """The answer to AskPage; cookies: of the gate, for the response."""

    number: int
    response: Response
    cookies: tuple[str, ...]


class Found(_Message, frozen=True):
    """The answer to AskTarget: a place, which holds until Forget, or a response."""

    number: int
    place: Place | None
    response: Response | None


class Forget(_Message, frozen=True):
    """What was said of these sessions holds no longer; those to be closed have ended."""

    sessions: tuple[str, ...]
    close: bool


class Void(_Message, frozen=True):
    """Cookies of this user issued up to stamp are void."""

    order: int
    user: str
    stamp: int


class CloseUser(_Message, frozen=True):
    """Break off what is carried for this user, and ask again."""

    order: int
    user: str


class CloseJoin(_Message, frozen=True):
    """Break off what leads from a session to the texts that another one keeps."""

    session: str
    host: str


ToControl = AskPage | AskTarget | GiveUp | InUse | Failed | Heard | Ping
ToData = Begin | Page | Found | Forget | Void | CloseUser | CloseJoin | Pong

_encoder = msgspec.msgpack.Encoder()
_to_control: msgspec.msgpack.Decoder[ToControl] = msgspec.msgpack.Decoder(ToControl)
_to_data: msgspec.msgpack.Decoder[ToData] = msgspec.msgpack.Decoder(ToData)


def encode(message: ToControl | ToData) -> bytes:
    """The frame of one message; WireError when it is larger than MAX_FRAME."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a stream into the bodies of frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Bodies completed by data, in order; WireError ends the stream for good."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if length > MAX_FRAME:
                raise WireError(f"a frame of {length} bytes is announced, the limit is {MAX_FRAME}")
            end = start + _LENGTH.size + length
            if end > len(self._buffer):
                break
            yield bytes(self._buffer[start + _LENGTH.size : end])
            start = end
        del self._buffer[:start]


def to_control(body: bytes) -> ToControl:
    """The message of a data worker; WireError."""
    return _decoded(_to_control, body)


def to_data(body: bytes) -> ToData:
    """The message of control; WireError."""
    return _decoded(_to_data, body)


def _decoded(decoder: "msgspec.msgpack.Decoder[_T]", body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"a frame holds no message: {error}") from None


def fields_of(head: RequestHead) -> Fields:
    """A head for the wire."""
    named = (head.method, head.path, head.query, _plain(head.headers), _plain(head.cookies))
    return (*named, head.remote, head.secure, head.host, head.root_path)


def _plain(mapping: Mapping[str, str]) -> dict[str, str]:
    return dict(mapping)


def head_of(fields: Fields) -> RequestHead:
    """The head again."""
    return RequestHead(*fields)


def place_of(target: Target) -> Place:
    """A target for the wire."""
    return target.socket_path, target.uid, target.headers


def target_of(place: Place) -> Target:
    """The target again."""
    return Target(*place)

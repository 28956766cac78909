"""The messages of y-websocket (0 sync, 1 awareness, 3 ask for awareness) and ours (4 control, JSON). Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from filebase import bounds

_VARINT_BYTES = 8


class BadMessage(Exception):
    """A member sent what is no message of this protocol; the connection must be closed."""


class Kind(IntEnum):
    """The first number of a message."""

    SYNC = 0
    AWARENESS = 1
    ASK_AWARENESS = 3
    CONTROL = 4


class Sync(IntEnum):
    """The second number of a sync message."""

    STATE = 0
    """A state vector: send me what I lack."""
    MISSING = 1
    """What you lack."""
    UPDATE = 2


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """payload: a state vector or an update of Yjs, version 1."""

    step: Sync
    payload: bytes


@dataclass(frozen=True, slots=True)
class AwarenessMessage:
    """states: client number -> (clock, JSON text of its state)."""

    states: Mapping[int, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class AskAwareness:
    """Send me everybody's state."""


@dataclass(frozen=True, slots=True)
class Control:
    """A JSON object."""

    fields: Mapping[str, object]


Message = SyncMessage | AwarenessMessage | AskAwareness | Control


class Reader:
    """Takes numbers and byte strings off the front of a message; BadMessage when it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        """An unsigned LEB128 number below 2**56."""
        value = 0
        for position in range(_VARINT_BYTES):
            if self._at >= len(self._data):
                raise BadMessage("the message ends inside a number")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                return value
        raise BadMessage("a number is too large")

    def piece(self) -> bytes:
        """A byte string behind its length."""
        end = self.number() + self._at
        if end > len(self._data):
            raise BadMessage("the message ends inside a byte string")
        found = self._data[self._at : end]
        self._at = end
        return found

    def text(self) -> str:
        """A byte string that is UTF-8."""
        try:
            return self.piece().decode()
        except UnicodeDecodeError:
            raise BadMessage("a text is not UTF-8") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise BadMessage("there is something behind the message")


def number(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def piece(data: bytes) -> bytes:
    """A byte string behind its length."""
    return number(len(data)) + data


def parse(data: bytes) -> Message:
    """The message; BadMessage."""
    reader = Reader(data)
    kind = reader.number()
    if kind == Kind.SYNC:
        message: Message = _sync(reader)
    elif kind == Kind.AWARENESS:
        message = parse_awareness(reader.piece())
    elif kind == Kind.ASK_AWARENESS:
        message = AskAwareness()
    elif kind == Kind.CONTROL:
        message = _control(reader.piece())
    else:
        raise BadMessage(f"there is no message {kind}")
    reader.end()
    return message


def _sync(reader: Reader) -> SyncMessage:
    step = reader.number()
    if step > Sync.UPDATE:
        raise BadMessage(f"there is no sync message {step}")
    return SyncMessage(Sync(step), reader.piece())


def parse_awareness(data: bytes) -> AwarenessMessage:
    """The body of an awareness message; BadMessage."""
    if len(data) > bounds.AWARENESS:
        raise BadMessage(f"more than {bounds.AWARENESS} bytes of awareness")
    reader = Reader(data)
    count = reader.number()
    if count > bounds.CLIENTS_PER_MEMBER:
        raise BadMessage("awareness of too many clients")
    states = {}
    for _ in range(count):
        client = reader.number()
        states[client] = (reader.number(), reader.text())
    reader.end()
    return AwarenessMessage(states)


def _control(data: bytes) -> Control:
    if len(data) > bounds.CONTROL:
        raise BadMessage(f"more than {bounds.CONTROL} bytes of control")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise BadMessage("control is not JSON") from None
    if not isinstance(fields, dict):
        raise BadMessage("control is no object")
    return Control(fields)


def sync(step: Sync, payload: bytes) -> bytes:
    """A sync message."""
    return bytes((Kind.SYNC, step)) + piece(payload)


def awareness(states: Mapping[int, tuple[int, str]]) -> bytes:
    """An awareness message."""
    body = number(len(states))
    for client, (clock, state) in states.items():
        body += number(client) + number(clock) + piece(state.encode())
    return bytes((Kind.AWARENESS,)) + piece(body)


def control(**fields: object) -> bytes:
    """A control message."""
    return bytes((Kind.CONTROL,)) + piece(json.dumps(fields).encode())

"""A member whose network lets no WebSocket through: the same messages, carried by requests and their answers.

Messages are numbered from 1 on in both directions. A request says which it has and repeats what may not have arrived,
so that none is lost or taken twice whatever happens to single requests.
"""

import json
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from filebase import bounds
from filebase.messages import BadMessage
from filebase.pace import Bucket
from filebase.room import POLICY, TOO_LARGE, Room

LOST = 1006
"""Close code: nobody has asked for long, or the messages do not follow on each other."""
_LENGTH = struct.Struct(">I")
_MESSAGES, _FAREWELL = b"\0", b"\1"
_MOST_AT_ONCE = 4 << 20
_LONGEST_PAUSE = 20.0

Answer = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. after: number of the last message it has; first: of the first that it brings.

    waits: it is answered when there is something to say, else at once.
    """

    after: int
    first: int
    messages: Sequence[bytes]
    waits: bool


class PollLink:
    """See Peer. now: seconds of a clock that only goes forward."""

    def __init__(self, room: Room, user: str, now: Callable[[], float]) -> None:
        self.user, self._room, self._now = user, room, now
        self.touched = now()
        self._out: deque[bytes] = deque()
        self._size = self._acknowledged = self._taken = 0
        self._farewell: tuple[int, str] | None = None
        self._waiting: Answer | None = None
        self._paces = (
            Bucket(bounds.MESSAGES_PER_SECOND, bounds.MESSAGE_BURST, now),
            Bucket(bounds.BYTES_PER_SECOND, bounds.BYTE_BURST, now),
        )
        self._member = room.enter(user, self)

    @property
    def is_waiting(self) -> bool:
        """A request waits for messages."""
        return self._waiting is not None

    def send(self, message: bytes) -> None:
        """See Peer."""
        if self._farewell is not None:
            return
        if self._size + len(message) > bounds.BACKLOG:
            self.leave("what waited for this page was too much")
            return
        self._out.append(message)
        self._size += len(message)
        self.wake()

    def close(self, code: int, reason: str) -> None:
        """See Peer."""
        if self._farewell is None:
            self._farewell = (code, reason)
            self.wake()

    def leave(self, reason: str) -> None:
        """The page is gone, or cannot go on with this link."""
        self._room.leave(self._member)
        self.close(LOST, reason)

    def take(self, ask: Ask) -> float:
        """What a request brings; seconds after which it may be answered, so that nobody sends too fast."""
        self.touched = self._now()
        self._acknowledge(ask.after)
        if self._farewell is not None:
            return 0.0
        if ask.messages and ask.first > self._taken + 1:
            self.leave("messages are missing")
        fresh = ask.messages[max(0, self._taken + 1 - ask.first) :]
        size = sum(map(len, fresh))
        pause = max(pace.take(amount) for pace, amount in zip(self._paces, (len(fresh), size), strict=True))
        if pause > _LONGEST_PAUSE:
            self._room.expel(self._member, POLICY, "too much was sent at once")
        for message in fresh:
            if self._farewell is None:
                self._receive(message)
        return min(pause, _LONGEST_PAUSE)

    def answer(self, answer: Answer, waits: bool) -> None:
        """Answer a request: with what waits, or, when it waits for that itself, as soon as there is something."""
        self.touched = self._now()
        if not waits and self._farewell is None:
            answer(_MESSAGES)
            return
        before, self._waiting = self._waiting, answer
        if before is not None:
            before(_MESSAGES)
        self.wake()

    def wake(self, is_late: bool = False) -> None:
        """Answer who waits, if there is something to say or it is late."""
        if self._waiting is None or not (self._out or self._farewell or is_late):
            return
        answer, self._waiting = self._waiting, None
        self.touched = self._now()
        answer(self._told())

    def give_up(self, answer: Answer) -> None:
        """Nobody waits for this answer any more."""
        if self._waiting is answer:
            self._waiting = None

    def _acknowledge(self, after: int) -> None:
        if after > self._acknowledged + len(self._out):
            self.leave("messages are acknowledged that were never sent")
        while self._acknowledged < after and self._out:
            self._size -= len(self._out.popleft())
            self._acknowledged += 1

    def _receive(self, message: bytes) -> None:
        self._taken += 1
        if len(message) > bounds.MESSAGE:
            self._room.expel(self._member, TOO_LARGE, "the message is too large")
        else:
            self._room.receive(self._member, message)

    def _told(self) -> bytes:
        if self._farewell is not None and not self._out:
            return farewell(*self._farewell)
        told, size = [_MESSAGES], 0
        for message in self._out:
            if size and size + len(message) > _MOST_AT_ONCE:
                break
            told += (_LENGTH.pack(len(message)), message)
            size += len(message)
        return b"".join(told)


def farewell(code: int, reason: str) -> bytes:
    """The answer to whoever has no link."""
    return _FAREWELL + json.dumps({"code": code, "reason": reason}).encode()


def messages_of(body: bytes) -> list[bytes]:
    """The messages in a request's body, each behind its length (4 bytes, big-endian); BadMessage."""
    found, at = [], 0
    while at < len(body):
        if at + _LENGTH.size > len(body):
            raise BadMessage("the body ends inside a length")
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        if at + length > len(body):
            raise BadMessage("the body ends inside a message")
        found.append(body[at : at + length])
        at += length
    return found

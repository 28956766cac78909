"""The numbered events of a session: without gaps, bounded by bytes, read again from any number."""

import json
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

_MERGE_LIMIT = 65536
_EVENT_OVERHEAD = 64
_MARK_DISTANCE = 1 << 20
_MARKS = 1024

LOG_LIMIT = 16 << 20
"""Bytes kept for listeners that come back."""


@dataclass(slots=True)
class _Event:
    type: str
    text: str | None
    """Set while the data is `{"text": text}`."""
    body: str
    """The data as JSON otherwise."""
    end: int
    """Bytes of the stream up to and with this event."""

    def encode(self, number: int) -> str:
        data = self.body if self.text is None else f'{{"text":{encode_json(self.text)}}}'
        return f'{{"id":{number},"type":{encode_json(self.type)},"data":{data}}}'


def encode_json(value: object) -> str:
    """Compact JSON that any UTF-8 socket can carry; raises ValueError or TypeError for what has no JSON form."""
    text = _ENCODER.encode(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class EventLog:
    """Events numbered from 1."""

    def __init__(self, limit: int = LOG_LIMIT) -> None:
        self._limit = limit
        self._events: deque[_Event] = deque()
        self._dropped = 0
        """Number of the last event that is no longer kept."""
        self._dropped_end = 0
        self._tail_open = False
        self._marks: list[tuple[int, int]] = [(0, 0)]
        """Some dropped numbers and where in the stream they ended."""

    @property
    def last_id(self) -> int:
        """Number of the newest event, 0 when there is none."""
        return self._dropped + len(self._events)

    def append(self, type: str, data: object) -> None:  # noqa: A002 - the protocol's own word
        """Append an event with any JSON value as data."""
        self._append(type, None, encode_json(data))

    def append_text(self, type: str, text: str) -> None:  # noqa: A002 - the protocol's own word
        """Append `{"text": text}`, to the newest event if that is of the same type and nobody has read it."""
        tail = self._events[-1] if self._events else None
        if self._tail_open and tail and tail.type == type and tail.text is not None and len(tail.text) < _MERGE_LIMIT:
            tail.text += text
            tail.end += len(text)
            self._trim()
        else:
            self._append(type, text, "")
            self._tail_open = True

    def read(self, after: int, limit: int) -> tuple[list[str], int]:
        """Encoded events after number `after`, at least one if any, about `limit` bytes; and the number of the last.

        What is no longer kept is one `events_dropped` event. A number of the future reads nothing.
        """
        encoded: list[str] = []
        if after < self._dropped:
            encoded.append(self._encode_dropped(after))
            after = self._dropped
        self._tail_open = False
        size = 0
        while after < self.last_id and size < limit:
            after += 1
            text = self._events[self._index(after)].encode(after)
            size += len(text)
            encoded.append(text)
        return encoded, after

    def bytes_after(self, number: int) -> int:
        """How many bytes a listener is behind that has seen everything up to `number`."""
        if number >= self.last_id:
            return 0
        end = self._dropped_end if number <= self._dropped else self._events[self._index(number)].end
        return self._end() - end

    def _append(self, type: str, text: str | None, body: str) -> None:  # noqa: A002 - the protocol's own word
        size = _EVENT_OVERHEAD + len(body) + len(text or "")
        self._events.append(_Event(type, text, body, self._end() + size))
        self._tail_open = False
        self._trim()

    def _index(self, number: int) -> int:
        return number - self._dropped - 1

    def _end(self) -> int:
        return self._events[-1].end if self._events else self._dropped_end

    def _trim(self) -> None:
        floor = self._end() - self._limit
        while self._dropped_end < floor and len(self._events) > 1:
            self._dropped_end = self._events.popleft().end
            self._dropped += 1
            self._mark()

    def _mark(self) -> None:
        if self._dropped_end - self._marks[-1][1] >= _MARK_DISTANCE:
            self._marks.append((self._dropped, self._dropped_end))
            if len(self._marks) > _MARKS:
                del self._marks[1::2]

    def _encode_dropped(self, after: int) -> str:
        mark = self._marks[bisect_right(self._marks, (after, self._dropped_end)) - 1]
        data = {"from": after + 1, "to": self._dropped, "bytes": self._dropped_end - mark[1]}
        return f'{{"id":{self._dropped},"type":"events_dropped","data":{encode_json(data)}}}'

"""The shared text: a Yjs document with one text in it, and what an update may do to that."""

from collections.abc import Mapping

from pycrdt import Doc, Text, TextEvent

from filebase import bounds, line_merge
from filebase.messages import BadMessage, Reader

NAME = "text"
_EMPTY_STATE = b"\x00"
_JOURNAL = 2000


class Refused(Exception):
    """An update that nobody else is to see; the text is as it was before."""


class SharedText:
    """Keeps the updates since its last whole state, to be able to take the latest back."""

    def __init__(self, state: bytes | None = None, text: str = "") -> None:
        self._faults: list[str] = []
        self._events = 0
        self._journal: list[bytes] = []
        self._load([] if state is None else [state])
        if text:
            self._text += text
            self._compact()

    def _load(self, updates: list[bytes]) -> None:
        self._doc: Doc[Text] = Doc()
        self._text = self._doc.get(NAME, type=Text)
        for update in updates:
            self._doc.apply_update(update)
        self._journal = updates
        self._size, self._history = len(self._text), sum(map(len, updates))
        self._subscription = self._text.observe(self._changed)

    def _compact(self) -> None:
        self._journal = [self._doc.get_update()]
        self._history = len(self._journal[0])

    def __str__(self) -> str:
        return str(self._text)

    @property
    def is_empty(self) -> bool:
        """Nothing was ever written into it."""
        return self._doc.get_state() == _EMPTY_STATE

    def state_vector(self) -> bytes:
        """What it has, for whoever may have more."""
        return self._doc.get_state()

    def missing(self, state_vector: bytes) -> bytes:
        """What somebody with this state vector lacks; BadMessage."""
        try:
            return self._doc.get_update(state_vector)
        except Exception:
            raise BadMessage("that is no state vector") from None

    def whole(self) -> bytes:
        """The text with its history."""
        return self._doc.get_update()

    def apply(self, update: bytes, foreign: frozenset[int] = frozenset()) -> bool:
        """Take an update of a member; whether anything in it is new, be it that something was deleted. Refused.

        foreign: client numbers that others write under.
        """
        before, self._events = self._doc.get_state(), 0
        if len(self._journal) >= _JOURNAL or self._history + len(update) > bounds.STATE:
            self._compact()
        if self._history + len(update) > bounds.STATE:
            raise Refused("the text with its history is too large to be edited together")
        fault = self._fault_of(update, foreign)
        if fault:
            self._load(self._journal)
            raise Refused(fault)
        self._journal.append(update)
        self._history += len(update)
        return self._events > 0 or self._doc.get_state() != before

    def _fault_of(self, update: bytes, foreign: frozenset[int]) -> str:
        """Applies it; what is wrong with that."""
        clocks = self._clocks() if foreign else {}
        self._faults.clear()
        try:
            self._doc.apply_update(update)
        except Exception:
            return "the update cannot be read"
        if self._faults:
            return self._faults[0]
        if foreign and any(clock > clocks.get(each, 0) for each, clock in self._clocks().items() if each in foreign):
            return "the update speaks for somebody else"
        return f"a document may have at most {bounds.TEXT >> 20} MiB" if self._size > bounds.TEXT else ""

    def become(self, text: str) -> bytes:
        """Change what differs, line by line; the update for the members, empty when nothing does."""
        changes = line_merge.changes(str(self), text)
        if not changes:
            return b""
        before = self._doc.get_state()
        with self._doc.transaction():
            for begin, end, insert in reversed(changes):
                if end > begin:
                    del self._text[begin:end]
                if insert:
                    self._text.insert(begin, insert)
        update = self._doc.get_update(before)
        self._journal.append(update)
        self._history += len(update)
        return update

    def _clocks(self) -> Mapping[int, int]:
        reader = Reader(self._doc.get_state())
        return {reader.number(): reader.number() for _ in range(reader.number())}

    def _changed(self, event: TextEvent) -> None:
        self._events += 1
        for part in event.delta:  # type: ignore[attr-defined]
            if "delete" in part:
                self._size -= part["delete"]
            elif "insert" in part:
                self._inserted(part)

    def _inserted(self, part: Mapping[str, object]) -> None:
        insert = part["insert"]
        if not isinstance(insert, str) or part.get("attributes"):
            self._faults.append("a text holds nothing but characters")
        elif "\r" in insert or "\0" in insert:
            self._faults.append("the text has a character that no document may have")
        else:
            self._size += len(insert.encode("utf-8", "surrogatepass"))

"""A page as filebase sees it: a Yjs document, a client number, and what it says and hears."""

import json
import random

from pycrdt import Doc, Text

from filebase import messages
from filebase.messages import Kind, Reader, Sync


class Page:
    """Takes messages with `hear`; what it wants to say collects in `out`."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.epoch = ""
        self.ready = False
        self.controls: list[dict[str, object]] = []
        self.others: dict[int, object] = {}
        self.out: list[bytes] = []
        self._renew()

    def _renew(self) -> None:
        self.doc: Doc[Text] = Doc()
        self.text = self.doc.get("text", type=Text)

    def __str__(self) -> str:
        return str(self.text)

    def state(self) -> bytes:
        """The text, and how much of whose writing it has."""
        vector = Reader(self.doc.get_state())
        return repr((str(self), sorted((vector.number(), vector.number()) for _ in range(vector.number())))).encode()

    def edit(self, begin: int, end: int, insert: str) -> None:
        """Replace characters (of ASCII)."""
        before = self.doc.get_state()
        with self.doc.transaction():
            if end > begin:
                del self.text[begin:end]
            if insert:
                self.text.insert(begin, insert)
        update = self.doc.get_update(before)
        if self.ready:
            self.out.append(messages.sync(Sync.UPDATE, update))

    def edit_somewhere(self, chance: random.Random) -> None:
        """Type or delete at some place."""
        length = len(str(self))
        begin = chance.randint(0, length)
        if chance.random() < 0.3:
            self.edit(begin, min(length, begin + chance.randint(1, 5)), "")
        else:
            self.edit(begin, begin, "".join(chance.choices("abc\n", k=chance.randint(1, 4))))

    def announce(self, clock: int = 1, **state: object) -> None:
        """Say who it is."""
        states = {self.doc.client_id: (clock, json.dumps({"user": {"name": self.user}, **state}))}
        self.out.append(messages.awareness(states))

    def ask(self, **fields: object) -> None:
        """Send control."""
        self.out.append(messages.control(**fields))

    def hear(self, data: bytes) -> None:
        """A message of filebase."""
        if data[0] == Kind.CONTROL:
            self._control(json.loads(Reader(data[1:]).piece()))
        elif data[0] == Kind.AWARENESS:
            self._aware(Reader(Reader(data[1:]).piece()))
        elif data[0] == Kind.SYNC:
            self._sync(Sync(data[1]), Reader(data[2:]).piece())

    def _control(self, fields: dict[str, object]) -> None:
        self.controls.append(fields)
        if fields["event"] == "hello":
            if self.epoch != fields["epoch"]:
                self._renew()
                self.announce(clock=2)
            self.epoch, self.ready = str(fields["epoch"]), bool(fields["ready"])
            if self.ready:
                self.out.append(messages.sync(Sync.STATE, self.doc.get_state()))

    def _sync(self, step: Sync, payload: bytes) -> None:
        if step is Sync.STATE:
            self.out.append(messages.sync(Sync.MISSING, self.doc.get_update(payload)))
        else:
            self.doc.apply_update(payload)

    def _aware(self, reader: Reader) -> None:
        for _ in range(reader.number()):
            client = reader.number()
            reader.number()
            self.others[client] = json.loads(reader.text())

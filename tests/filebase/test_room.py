"""Five editors, random edits, disconnects and killed hosts: one text every time; and what a member may not do."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebase import bounds, line_merge, messages
from filebase.messages import Sync
from filebase.room import Member, Room
from filebase.shared_text import SharedText
from tests.filebase.member import Page


@dataclass
class Wire:
    """What filebase says to one page, until it is delivered."""

    queue: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    def send(self, message: bytes) -> None:
        self.queue.append(message)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


@dataclass
class Host:
    """Keeps what the room wants kept."""

    log: list[bytes] = field(default_factory=list)
    saves: list[tuple[int, int, str]] = field(default_factory=list)

    def save(self, member: int, number: int, text: str) -> None:
        self.saves.append((member, number, text))

    def members_changed(self) -> None:
        """Nothing depends on it here."""

    def kept(self, update: bytes) -> None:
        self.log.append(update)


class World:
    """A room, or one after the other, and the pages that are connected."""

    def __init__(self, text: str, pages: int) -> None:
        self.room = Room(Host(), "e" * 16, SharedText(text=text), text, True)
        self.pages = [Page(f"user{number}") for number in range(pages)]
        self.links: dict[int, tuple[Member, Wire]] = {}

    def connect(self, number: int) -> None:
        if number not in self.links:
            wire = Wire()
            page = self.pages[number]
            page.out.clear()
            page.ready = False
            page.announce(clock=random.Random(number).randint(1, 9) + len(page.controls))
            self.links[number] = (self.room.enter(page.user, wire), wire)

    def disconnect(self, number: int) -> None:
        """What is on its way is lost in both directions."""
        if number in self.links:
            member, _ = self.links.pop(number)
            self.room.leave(member)
            self.pages[number].out.clear()

    def kill_host(self) -> None:
        """The next host knows nothing but the epoch; pages bring the text."""
        connected = [*self.links]
        for number in connected:
            self.disconnect(number)
        empty = SharedText()
        self.room = Room(Host(), self.room.epoch, empty, self.room.base, False)
        for number in connected:
            self.connect(number)

    def step(self, number: int) -> None:
        """Deliver one message each way."""
        if number not in self.links:
            return
        member, wire = self.links[number]
        page = self.pages[number]
        if wire.queue:
            page.hear(wire.queue.pop(0))
        if page.out:
            self.room.receive(member, page.out.pop(0))
        assert wire.closed is None, wire.closed

    def settle(self) -> None:
        for _ in range(10_000):
            if not any(wire.queue or self.pages[number].out for number, (_, wire) in self.links.items()):
                return
            for number in self.links:
                self.step(number)
        raise AssertionError("never quiet")


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["edit", "edit", "edit", "step", "step", "cut", "join", "kill"]), st.integers(0, 4)),
    max_size=120,
)


@settings(max_examples=120, deadline=None)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_five_editors_converge_whatever_happens(actions: list[tuple[str, int]], seed: int) -> None:
    chance = random.Random(seed)
    world = World("one\ntwo\nthree\n", 5)
    for number in range(5):
        world.connect(number)
    world.settle()
    typed = 0
    for action, number in actions:
        if action == "edit":
            page, mark = world.pages[number], f"<{typed}>"
            page.edit_somewhere(chance)
            page.edit(len(str(page)), len(str(page)), mark)
            typed += 1
        elif action == "step":
            world.step(number)
        elif action == "cut":
            world.disconnect(number)
        elif action == "join":
            world.connect(number)
        elif len(world.links) > 0:
            world.kill_host()
    for number in range(5):
        world.disconnect(number)
        world.connect(number)
    world.settle()
    texts = {str(page) for page in world.pages}
    assert texts == {str(world.room.text)}


def test_what_was_only_deleted_while_away_reaches_those_who_are_there() -> None:
    world = joined("abc\n")
    world.disconnect(1)
    world.pages[1].edit(0, 2, "")
    world.connect(1)
    world.settle()
    assert {str(page) for page in world.pages} == {str(world.room.text)} == {"c\n"}


def test_a_killed_hosts_text_is_brought_by_pages() -> None:
    world = World("abc", 2)
    for number in range(2):
        world.connect(number)
    world.settle()
    world.kill_host()
    world.pages[1].edit(0, 0, "typed while nobody hosts ")
    world.settle()
    assert {str(page) for page in world.pages} == {"typed while nobody hosts abc"}


def joined(text: str = "abc\n", users: tuple[str, ...] = ("anna", "berta")) -> World:
    world = World(text, len(users))
    for number, user in enumerate(users):
        world.pages[number].user = user
        world.connect(number)
    world.settle()
    return world


def refusal(world: World, data: bytes) -> tuple[int, str]:
    """How the room ends the connection of page 1 after this message; page 0 sees nothing of it."""
    member, wire = world.links[1]
    before = str(world.room.text)
    world.links[0][1].queue.clear()
    world.room.receive(member, data)
    assert wire.closed is not None, "it was taken"
    assert str(world.room.text) == before
    heard = [messages.parse(message) for message in world.links[0][1].queue]
    assert not [each for each in heard if isinstance(each, messages.SyncMessage)]
    world.links.pop(1)
    return wire.closed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\x07",
        b"\x00\x09\x01\x00",
        b"\x00\x02\x05\x01\x02",
        b"\x00\x02\x03\x01\x02\x03",
        b"\x00\x02" + b"\xff" * 9,
        messages.sync(Sync.STATE, b"\xff\xff"),
        messages.control(ask="save"),
        messages.control(ask="save", number=True),
        messages.control(ask="quit", number=1),
        messages.control(ask="save", number=1, pad="x" * bounds.CONTROL),
        b"\x04\x02[]",
        b"\x04\x02{]",
        messages.awareness({1: (1, "nonsense")}),
        messages.awareness({1: (1, "[]")}),
        messages.awareness({1: (1, '{"user":{"name":"anna"}}')}),
        messages.awareness({1: (1, "{" + '"a":1,' * 1000 + '"b":1}')}),
        messages.awareness(dict.fromkeys(range(bounds.CLIENTS_PER_MEMBER + 1), (1, "null"))),
    ],
)
def test_what_is_no_message_ends_the_connection(data: bytes) -> None:
    assert refusal(joined(), data)[0] == 1008


def test_an_update_in_the_name_of_somebody_else_is_taken_back() -> None:
    world = joined()
    forger = Page("berta")
    from pycrdt import Doc, Text

    forger.doc = Doc(client_id=world.pages[0].doc.client_id)
    forger.text = forger.doc.get("text", type=Text)
    forger.doc.apply_update(world.room.text.whole())
    before = forger.doc.get_state()
    forger.edit(0, 0, "forged")
    code, reason = refusal(world, messages.sync(Sync.UPDATE, forger.doc.get_update(before)))
    assert (code, reason) == (1008, "the update speaks for somebody else")
    world.pages[0].edit(0, 0, "mine ")
    world.settle()
    assert str(world.room.text) == "mine abc\n"


@pytest.mark.parametrize("text", ["a\rb", "a\0b", "x" * (bounds.TEXT + 1)])
def test_text_that_no_document_may_have_is_refused(text: str) -> None:
    world = joined()
    page = world.pages[1]
    page.edit(0, 0, text)
    assert refusal(world, page.out[-1])[0] == 1008


def test_what_is_no_text_is_refused() -> None:
    world = joined()
    page = world.pages[1]
    before = page.doc.get_state()
    page.text.insert_embed(0, {"image": "x"})
    assert "characters" in refusal(world, messages.sync(Sync.UPDATE, page.doc.get_update(before)))[1]


def test_state_never_grows_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "STATE", 4000)
    world = joined()
    page, (member, wire) = world.pages[1], world.links[1]
    for _ in range(400):
        page.edit(0, 0, "some text ")
        if wire.closed is None:
            world.room.receive(member, page.out.pop())
    assert wire.closed is not None
    assert len(world.room.text.whole()) <= 4000


def test_nobody_takes_the_number_or_the_name_of_somebody_else() -> None:
    world = joined()
    victim = world.pages[0].doc.client_id
    member, wire = world.links[1]
    world.room.receive(member, messages.awareness({victim: (99, '{"user":{"name":"berta"}}')}))
    assert wire.closed is None
    assert "anna" in world.room.presence.states[victim][1]


def test_a_room_is_full_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MEMBERS", 2)
    world = joined()
    wire = Wire()
    world.room.enter("clara", wire)
    assert wire.closed is not None
    assert len(world.room.members) == 2


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "dé\n", "\n"]), max_size=12).map("".join)


@given(LINES, LINES)
def test_line_changes_make_the_new_text(old: str, new: str) -> None:
    text = SharedText(text=old)
    text.become(new)
    assert str(text) == new


@given(LINES, LINES)
def test_merging_with_nothing_of_ours_is_theirs(base: str, theirs: str) -> None:
    assert line_merge.merged(base, theirs, base) == theirs
    assert line_merge.merged(base, base, theirs) == theirs


def test_both_changes_of_a_text_stay() -> None:
    assert line_merge.merged("a\nb\nc\n", "a\nB\nc\nx\n", "0\na\nb\nc\n") == "0\na\nB\nc\nx\n"
    assert line_merge.merged("a\nb\nc\n", "a\nB\nc\n", "a\nours\nc\n") in {"a\nB\nours\nc\n", "a\nours\nB\nc\n"}


def test_what_another_program_wrote_reaches_everybody() -> None:
    world = joined("abc\n")
    world.pages[0].edit(0, 0, "mine\n")
    world.settle()
    world.room.merge_file("abc\nother\n")
    world.settle()
    assert {str(page) for page in world.pages} == {"mine\nabc\nother\n"}
    assert all(page.controls[-1]["event"] == "file_changed" for page in world.pages)


def test_who_may_not_write_any_more_is_cut_off() -> None:
    world = joined()
    world.room.expel_user("berta")
    assert world.links[1][1].closed == (4403, "You may not change this file any more.")
    assert world.links[0][1].closed is None

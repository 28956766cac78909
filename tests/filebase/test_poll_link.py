"""Messages in requests and answers: none is lost, taken twice or out of order, whatever happens to single requests."""

import json
import random
import struct

import pytest

from filebase import bounds, messages
from filebase.messages import BadMessage, Sync
from filebase.poll_link import LOST, Ask, PollLink, messages_of
from filebase.room import Room
from filebase.shared_text import SharedText
from tests.filebase.member import Page
from tests.filebase.running import Filebase
from tests.filebase.test_room import Host, Wire

LINK = "0123456789abcdef" * 2


class Clock:
    """Goes forward when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Poller:
    """A page that asks; answers may get lost."""

    def __init__(self, room: Room, user: str = "anna") -> None:
        self.page, self.clock = Page(user), Clock()
        self.link = PollLink(room, user, self.clock)
        self.heard = self.sent = 0
        self.unsent: list[bytes] = []
        self.farewell: tuple[int, str] | None = None

    def ask(self, arrives: bool = True, returns: bool = True) -> None:
        """One request with all that is to be said, and its answer, if it arrives and returns."""
        self.unsent += self.page.out
        self.page.out = []
        if not arrives:
            return
        answers: list[bytes] = []
        self.link.take(Ask(self.heard, self.sent + 1, list(self.unsent), True))
        self.link.answer(answers.append, True)
        self.link.wake(is_late=True)
        if returns:
            self.sent += len(self.unsent)
            self.unsent.clear()
            self.take(answers[-1])

    def take(self, answer: bytes) -> None:
        """What filebase says."""
        if answer[:1] == b"\1":
            fields = json.loads(answer[1:])
            self.farewell = (fields["code"], fields["reason"])
            return
        for message in messages_of(answer[1:]):
            self.heard += 1
            self.page.hear(message)


def room(text: str = "abc\n") -> Room:
    return Room(Host(), "e" * 16, SharedText(text=text), text, True)


@pytest.mark.parametrize("seed", range(20))
def test_both_have_one_text_whatever_gets_lost(seed: int) -> None:
    chance, world = random.Random(seed), room()
    both = [Poller(world, "anna"), Poller(world, "berta")]
    for each in both:
        each.ask()
        each.ask()
    for _ in range(60):
        each = chance.choice(both)
        if chance.random() < 0.5:
            each.page.edit_somewhere(chance)
        each.ask(chance.random() < 0.7, chance.random() < 0.7)
    for each in both * 3:
        each.ask()
    assert {str(each.page) for each in both} == {str(world.text)}
    assert not any(each.farewell for each in both)


def refusal(ask: Ask) -> tuple[int, str]:
    """How a link ends after a request."""
    poller = Poller(room())
    poller.ask()
    poller.link.take(ask)
    answers: list[bytes] = []
    poller.link.answer(answers.append, True)
    while not poller.farewell:
        poller.take(answers.pop())
        poller.link.take(Ask(poller.heard, 1, [], True))
        poller.link.answer(answers.append, True)
    return poller.farewell


def test_what_does_not_follow_ends_the_link() -> None:
    assert refusal(Ask(99, 1, [], True)) == (LOST, "messages are acknowledged that were never sent")
    assert refusal(Ask(0, 9, [b"x"], True)) == (LOST, "messages are missing")
    assert refusal(Ask(0, 1, [b"\x09"], True))[0] == 1008
    assert refusal(Ask(0, 1, [b"x" * (bounds.MESSAGE + 1)], True))[0] == 1009


def test_a_flood_is_answered_late_and_ends_the_link() -> None:
    poller = Poller(room())
    state = messages.sync(Sync.STATE, b"\0")
    assert poller.link.take(Ask(0, 1, [state] * 900, False)) == 0
    pause = poller.link.take(Ask(0, 901, [state] * 300, False))
    assert 0.5 < pause < 5
    poller.link.take(Ask(0, 1201, [state] * 9000, False))
    poller.ask()
    poller.ask()
    assert poller.farewell == (1008, "too much was sent at once")


def test_who_does_not_ask_costs_no_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BACKLOG", 2000)
    world = room()
    silent, talker = Poller(world, "anna"), world.enter("berta", Wire())
    page = Page("berta")
    page.doc.apply_update(world.text.whole())
    page.ready = True
    for _ in range(100):
        page.edit(0, 0, "x" * 50)
        world.receive(talker, page.out.pop())
    assert silent.link._size <= 2000
    assert len(world.members) == 1


@pytest.mark.parametrize("body", [b"\0", b"\0\0\0\2x", struct.pack(">I", 1 << 31) + b"abc", b"\0\0\0\1xy"])
def test_a_body_that_is_cut_off(body: bytes) -> None:
    with pytest.raises(BadMessage):
        messages_of(body)


def test_a_real_one_serves_both_ways_side_by_side(tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("filebase") / "log"
    with Filebase(log, "e" * 16, "abc\n", "abc\n") as host:
        host.poll(1, "anna", LINK, waits=True)
        greeting = messages_of(host.answer(1)[1:])
        assert json.loads(greeting[0][2:])["epoch"] == "e" * 16
        # A request that waits is answered when somebody writes; the newer one of two, whoever waits with the older.
        host.poll(2, "anna", LINK, after=len(greeting), waits=True)
        host.poll(3, "anna", LINK, after=len(greeting), waits=True)
        assert host.answer(2) == b"\0"
        page = Page("anna")
        page.doc.apply_update(page.doc.get_update())
        page.ready = True
        page.edit(0, 0, "new ")
        (update,) = page.out
        # Another user's link is another link, even with the same name.
        host.poll(4, "berta", LINK, waits=False)
        assert host.answer(4) == b"\0"
        host.poll(5, "berta", LINK, struct.pack(">I", len(update)) + update, first=1)
        assert host.answer(5) == b"\0"
        assert messages_of(host.answer(3)[1:]) == [update]
        host.poll(6, "carl", LINK, after=3)
        assert json.loads(host.answer(6)[1:]) == {"code": LOST, "reason": "the link is not known here"}
        # Whose browser has gone is not answered.
        host.poll(7, "anna", LINK, after=len(greeting) + 1, waits=True)
        host.say("poll_over", request=7)
        host.poll(8, "anna", LINK, b"\0\0\0\x09", after=len(greeting) + 1)
        assert json.loads(host.answer(8)[1:])["code"] == 1008
        assert "new " in host.text()

"""What one member does to a real filebase ends that member's connection at most; the others go on."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from filebase import bounds, messages
from filebase.messages import Sync
from tests.filebase.member import Page
from tests.filebase.running import Filebase, Line, pump, settled

TEXT = "abc\n" * 25_000
# The figure of the product: a filebase takes no more than 40 MB in ordinary life. Attacked, it stays bounded.
_MOST_KIB = 400 << 10


@dataclass
class World:
    """A host with two people in it who mean well."""

    host: Filebase
    lines: list[Line]

    def hostile(self) -> Line:
        """A third one, who has the text as well."""
        line = self.host.join(Page("mallory"))
        pump([*self.lines, line], lambda: settled([*self.lines, line]))
        return line

    def goes_on(self) -> None:
        """What one of them types arrives at the other."""
        before = str(self.lines[1].page)
        self.lines[0].page.edit(0, 0, "x")
        pump(self.lines, lambda: str(self.lines[1].page) == "x" + before and settled(self.lines))
        assert all(line.closed is None for line in self.lines)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("filebase") / "log"
    with Filebase(log, "e" * 16, TEXT, TEXT) as host:
        lines = [host.join(Page(user)) for user in ("anna", "berta")]
        pump(lines, lambda: settled(lines))
        yield World(host, lines)
        for line in lines:
            line.cut()


def ended(world: World, line: Line) -> tuple[int, str]:
    """Until that connection is over."""
    pump([*world.lines, line], lambda: line.closed is not None)
    assert line.closed is not None
    return line.closed


def garbage(chance: random.Random, page: Page) -> bytes:
    """A message that was damaged on its way, or that never was one."""
    page.edit(0, 0, "y")
    sound = [
        page.out.pop(),
        messages.sync(Sync.MISSING, page.doc.get_update()[:2000]),
        messages.sync(Sync.STATE, page.doc.get_state()),
        messages.awareness({page.doc.client_id: (1 << 40, '{"user":{"name":"mallory"},"cursor":{}}')}),
        messages.control(ask="save", number=1),
        chance.randbytes(chance.randint(0, 200)),
    ]
    data = bytearray(chance.choice(sound))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        change = chance.random()
        if change < 0.3:
            del data[at : at + chance.randint(1, 20)]
        elif change < 0.6:
            data[at:at] = chance.randbytes(chance.randint(1, 20))
        elif at < len(data):
            data[at] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_messages_change_nothing_for_the_others(world: World, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(15):
        line = world.hostile()
        for _ in range(20):
            line.say(garbage(chance, line.page))
            line.page.out.clear()
        line.page.ask(ask="nothing", number=1)
        assert ended(world, line)[0] in {1002, 1006, 1008}
    pump(world.lines, lambda: settled(world.lines))
    assert not {"\0", "\r"} & set(str(world.lines[0].page))
    world.goes_on()


HUGE = b"\x82\xff" + (1 << 34).to_bytes(8, "big") + b"\0\0\0\0"


@pytest.mark.parametrize(
    "attack",
    [
        lambda line: line.say_raw(b"GET / HTTP/1.1\r\n\r\n"),
        lambda line: line.say_raw(HUGE + bytes(20 << 20)),
        lambda line: line.say(b"\0\2" + messages.piece(bytes(bounds.MESSAGE))),
        lambda line: line.page.edit(0, 0, "z" * (10 << 20)),
        lambda line: line.page.edit(0, 0, "carriage\rreturn"),
    ],
    ids=["no WebSocket", "endless message", "too large", "ten megabytes pasted", "control character"],
)
def test_too_much_ends_that_connection_alone(world: World, attack: Callable[[Line], None]) -> None:
    line = world.hostile()
    attack(line)
    assert ended(world, line)[0] in {1002, 1006, 1008, 1009}
    world.goes_on()
    assert len(str(world.lines[0].page)) < bounds.TEXT
    assert world.host.resident_kib() < _MOST_KIB


def test_who_asks_and_never_reads_is_cut_off(world: World) -> None:
    line = world.hostile()
    for _ in range(2 * bounds.BACKLOG // len(TEXT)):
        line.say(messages.sync(Sync.STATE, b"\0"))
    while line._unsent and line.closed is None:
        line._write()
    world.goes_on()
    assert world.host.resident_kib() < _MOST_KIB
    assert ended(world, line)[0] == 1006


def test_a_flood_is_read_slowly_and_keeps_nobody_waiting(world: World) -> None:
    line = world.hostile()
    for _ in range(5000):
        line.page.announce(clock=1 << 41)
    for _ in range(5):
        pump([*world.lines, line], lambda: not line.page.out)
        world.goes_on()
    line.cut()

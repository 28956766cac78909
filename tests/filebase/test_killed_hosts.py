"""Five editors at real filebase processes: random edits, disconnects and kills lead to one text every time."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.filebase.member import Page
from tests.filebase.running import Filebase, Line, pump, settled

EPOCH, START, EDITORS = "e" * 16, "one\ntwo\nthree\n", 5
LETTERS = "abcdefghijklmnopqrstuvwxyz"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["type"] * 6 + ["carry"] * 4 + ["delete", "cut", "cut", "join", "join", "kill"]),
        st.integers(0, EDITORS - 1),
    ),
    min_size=10,
    max_size=60,
)


class House:
    """One host after the other, and who is connected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = [Page(f"user{number}") for number in range(EDITORS)]
        self.lines: dict[int, Line] = {}
        self.typed = Counter(START)
        self.kills = 0
        self.host = Filebase(folder / "0.log", EPOCH, START, START)
        for number in range(EDITORS):
            self.join(number)
        pump([*self.lines.values()], lambda: all(str(page) == START for page in self.pages))

    def settle(self) -> None:
        lines = [*self.lines.values()]
        pump(lines, lambda: settled(lines))

    def type(self, number: int, chance: random.Random) -> None:
        page, text = self.pages[number], "".join(chance.choices(LETTERS, k=chance.randint(1, 4)))
        begin = chance.randint(0, len(str(page)))
        page.edit(begin, begin, text)
        self.typed.update(text)

    def delete(self, number: int, chance: random.Random) -> None:
        page = self.pages[number]
        begin = chance.randint(0, len(str(page)))
        page.edit(begin, min(len(str(page)), begin + 3), "")

    def carry(self, number: int) -> None:
        if number in self.lines:
            self.lines[number].pump()

    def cut(self, number: int) -> None:
        if number in self.lines:
            self.lines.pop(number).cut()

    def join(self, number: int) -> None:
        if number not in self.lines or self.lines[number].closed is not None:
            self.lines[number] = self.host.join(self.pages[number])

    def kill(self, chance: random.Random) -> None:
        """The next is the same session, which has the log, or another, which has nothing."""
        self.host.kill()
        if chance.random() < 0.5:
            self.kills += 1
        for number in list(self.lines):
            self.cut(number)
        self.host = Filebase(self.folder / f"{self.kills}.log", EPOCH, None, START)
        for number in range(EDITORS):
            if chance.random() < 0.5:
                self.join(number)


@contextmanager
def house() -> Iterator[House]:
    with TemporaryDirectory() as folder:
        made = House(Path(folder))
        try:
            yield made
        finally:
            for number in list(made.lines):
                made.cut(number)
            made.host.kill()


def converges(steps: list[tuple[str, int]], seed: int) -> None:
    chance = random.Random(seed)
    with house() as world:
        for step, number in steps:
            if step == "type":
                world.type(number, chance)
            elif step == "delete":
                world.delete(number, chance)
            elif step == "kill":
                world.kill(chance)
            else:
                getattr(world, step)(number)
        for number in range(EDITORS):
            world.join(number)
        world.settle()
        text = str(world.pages[0])
        assert world.host.text() == text
        if not any(step == "delete" for step, _ in steps):
            # Every keystroke is there, once.
            assert Counter(text) == world.typed


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_five_editors_have_one_text_whoever_is_killed(steps: list[tuple[str, int]], seed: int) -> None:
    converges([*steps, ("kill", 0), ("type", 1)], seed)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_five_editors_have_one_text_whoever_is_killed_at_length(steps: list[tuple[str, int]], seed: int) -> None:
    converges(steps, seed)

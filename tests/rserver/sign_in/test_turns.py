from twisted.internet.defer import Deferred

from rserver.sign_in.turns import TooMany, Turns


class Visitors:
    """People in a queue, each inside until told to leave."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.inside: list[str] = []
        self._doors: dict[str, Deferred[None]] = {}
        self.refused: list[str] = []

    def come(self, name: str, key: str) -> None:
        Deferred.fromCoroutine(self._visit(name, key))

    def all_leave(self) -> None:
        while self._doors:
            self.leave(next(iter(self._doors)))

    def leave(self, name: str) -> None:
        self._doors.pop(name).callback(None)

    async def _visit(self, name: str, key: str) -> None:
        try:
            async with self.turns.turn(key):
                self.inside.append(name)
                door = self._doors[name] = Deferred()
                await door
                self.inside.remove(name)
        except TooMany:
            self.refused.append(name)


def test_two_of_one_key_at_once() -> None:
    visitors = Visitors(Turns(2, 12, 10, 10))
    for name in "abc":
        visitors.come(name, "alice")
    assert visitors.inside == ["a", "b"]
    visitors.leave("a")
    assert visitors.inside == ["b", "c"]
    visitors.all_leave()
    assert not visitors.turns._taken


def test_a_key_that_waits_holds_up_nobody_else() -> None:
    visitors = Visitors(Turns(2, 3, 10, 10))
    for name in "abc":
        visitors.come(name, "alice")
    visitors.come("d", "bob")
    visitors.come("e", "carol")
    assert visitors.inside == ["a", "b", "d"]
    visitors.leave("d")
    assert visitors.inside == ["a", "b", "e"]
    visitors.all_leave()


def test_the_queue_is_bounded_in_all_and_per_key() -> None:
    visitors = Visitors(Turns(1, 1, 3, 2))
    for name, key in zip("abcdefg", ["alice"] * 4 + ["bob"] * 3, strict=True):
        visitors.come(name, key)
    assert visitors.inside == ["a"]
    assert visitors.refused == ["d", "f", "g"]
    visitors.all_leave()


def test_a_turn_is_given_back_when_its_holder_fails() -> None:
    turns = Turns(1, 1, 1, 1)

    async def fail() -> None:
        async with turns.turn("alice"):
            raise OSError

    failures: list[type] = []
    for _ in range(3):
        Deferred.fromCoroutine(fail()).addBoth(lambda failure: failures.append(failure.type))
    assert failures == [OSError] * 3

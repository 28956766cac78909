"""Which session hosts: all come to the same answer."""

import random

from hypothesis import given
from hypothesis import strategies as st

from rsession.collab.awaited import AWAITED_SECONDS, Awaited
from rsession.collab.election import TURN_SECONDS, decide, later_than
from rsession.collab.seat import Seat


def seat(number: int, changed: float = 0.0, epoch: str = "", since: float = 0.0) -> Seat:
    return Seat(f"{number:021x}", f"{number:08x}", "a.R", changed, epoch, since)


def test_alone_nobody_hosts() -> None:
    verdict = decide(seat(1), [], 99)
    assert (verdict.host, verdict.mine, verdict.alone) == (None, False, True)


def test_the_newest_text_hosts_and_the_next_takes_its_turn() -> None:
    old, new = seat(1, 10), seat(2, 20)
    assert decide(new, [old], 0).mine
    assert not decide(old, [new], TURN_SECONDS - 0.1).mine
    assert decide(old, [new], TURN_SECONDS).mine
    assert not decide(old, [new], 0).alone


def test_a_host_stays_host_and_the_later_of_two_of_one_text_counts() -> None:
    host, newer = seat(1, 10, "e" * 16, since=5), seat(2, 99)
    assert decide(newer, [host], 99).host == host
    second = seat(3, 99, "e" * 16, since=6)
    assert decide(second, [host], 0).mine
    assert decide(host, [second], 0).host == second
    assert not decide(host, [second], 0).mine


def test_of_two_texts_the_one_that_most_show_counts_then_the_first() -> None:
    host, other = seat(1, 10, "e" * 16, since=5), seat(3, 99, "f" * 16, since=6)
    assert decide(host, [other], 0).mine
    assert decide(other, [host], 0).host == host
    members = [seat(4, 1, "f" * 16), seat(5, 1, "f" * 16), seat(6)]
    assert decide(other, [host, *members], 0).mine
    assert decide(host, [other, *members], 0).host == other


def test_a_new_host_is_later_than_the_one_it_follows_whatever_its_clock_says() -> None:
    assert later_than([], 1000.0) == 1000.0
    assert later_than([seat(1, since=900.0)], 1000.0) == 1000.0
    assert later_than([seat(1, since=1500.0), seat(2)], 1000.0) > 1500.0
    assert later_than([seat(1, since=1e15)], 1000.0) == 1000.0


def test_whoever_is_left_keeps_the_text_of_those_who_are_awaited() -> None:
    verdict = decide(seat(1, epoch="e" * 16), [], 0, is_awaited=True)
    assert (verdict.mine, verdict.epoch, verdict.alone) == (True, "e" * 16, False)


E = "e" * 16


class Room:
    """What a session sees of one other."""

    def __init__(self) -> None:
        self.awaited = Awaited()
        self.other = seat(2, epoch=E)

    def look(self, at_file: bool = True, reached: bool = True, here: bool = True, now: float = 0.0) -> bool:
        others = [self.other] if at_file else []
        self.awaited.look(E, others, others if reached else [], {self.other.session} if here else set(), now)
        return bool(self.awaited)


def test_who_ends_without_closing_is_awaited_until_long_after() -> None:
    room = Room()
    assert not room.look()
    assert room.look(at_file=False, here=False, now=1.0)
    assert room.look(at_file=False, here=False, now=AWAITED_SECONDS)
    assert not room.look(at_file=False, here=False, now=AWAITED_SECONDS + 2)
    assert not room.look(at_file=False, here=False, now=AWAITED_SECONDS + 3)


def test_who_closes_the_file_or_comes_back_is_awaited_no_more() -> None:
    room = Room()
    room.look()
    assert not room.look(at_file=False)
    room.look()
    assert room.look(at_file=False, here=False)
    assert not room.look()
    assert room.look(at_file=False, here=False)
    assert not room.look(at_file=False)


def test_a_host_that_cannot_be_reached_is_awaited() -> None:
    room = Room()
    room.look()
    assert room.look(reached=False)
    assert not room.look()


def test_who_never_was_in_the_text_is_not_awaited() -> None:
    room = Room()
    room.other = seat(2)
    room.look()
    assert not room.look(at_file=False, here=False)


def test_the_epoch_that_somebody_has_goes_on() -> None:
    assert decide(seat(1, 20), [seat(2, 10, "e" * 16)], 0).epoch == "e" * 16


def test_the_text_that_most_have_goes_on() -> None:
    mine, theirs = "a" * 16, "b" * 16
    others = [seat(2, 5, theirs), seat(3, 4, theirs), seat(4)]
    assert decide(seat(1, 20, mine), others, 0).epoch == theirs
    assert decide(seat(1, 20, mine), others[1:], 0).epoch == mine


SEATS = st.lists(
    st.builds(lambda changed, since: (changed, since), st.integers(0, 3), st.sampled_from([0, 0, 1, 2])),
    min_size=2,
    max_size=5,
)


@given(SEATS, st.randoms())
def test_everybody_agrees(facts: list[tuple[int, int]], chance: random.Random) -> None:
    everybody = [seat(number, changed, since=since) for number, (changed, since) in enumerate(facts)]
    verdicts = []
    for own in everybody:
        others = [each for each in everybody if each is not own]
        chance.shuffle(others)
        verdicts.append(decide(own, others, 0))
    assert sum(verdict.mine for verdict in verdicts) == 1
    assert len({verdict.host and verdict.host.session for verdict in verdicts}) == 1

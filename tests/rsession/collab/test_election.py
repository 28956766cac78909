"""Which session hosts: all come to the same answer."""

import random

from hypothesis import given
from hypothesis import strategies as st

from rsession.collab.election import TURN_SECONDS, decide
from rsession.collab.notes import Note


def note(number: int, changed: float = 0.0, epoch: str = "", since: float = 0.0) -> Note:
    return Note(f"{number:021x}", f"{number:08x}", "a.R", changed, epoch, since)


def test_alone_nobody_hosts() -> None:
    verdict = decide(note(1), [], 99)
    assert (verdict.host, verdict.mine, verdict.alone) == (None, False, True)


def test_the_newest_text_hosts_and_the_next_takes_its_turn() -> None:
    old, new = note(1, 10), note(2, 20)
    assert decide(new, [old], 0).mine
    assert not decide(old, [new], TURN_SECONDS - 0.1).mine
    assert decide(old, [new], TURN_SECONDS).mine
    assert not decide(old, [new], 0).alone


def test_a_host_stays_host_and_the_earlier_of_two_counts() -> None:
    host, newer = note(1, 10, "e" * 16, since=5), note(2, 99)
    assert decide(newer, [host], 99).host == host
    second = note(3, 99, "f" * 16, since=6)
    assert decide(second, [host], 0).host == host
    assert not decide(second, [host], 0).mine
    assert decide(host, [second], 0).mine


def test_the_epoch_that_somebody_has_goes_on() -> None:
    assert decide(note(1, 20), [note(2, 10, "e" * 16)], 0).epoch == "e" * 16


NOTES = st.lists(
    st.builds(lambda changed, since: (changed, since), st.integers(0, 3), st.sampled_from([0, 0, 1, 2])),
    min_size=2,
    max_size=5,
)


@given(NOTES, st.randoms())
def test_everybody_agrees(facts: list[tuple[int, int]], chance: random.Random) -> None:
    everybody = [note(number, changed, since=since) for number, (changed, since) in enumerate(facts)]
    verdicts = []
    for own in everybody:
        others = [each for each in everybody if each is not own]
        chance.shuffle(others)
        verdicts.append(decide(own, others, 0))
    assert sum(verdict.mine for verdict in verdicts) == 1
    assert len({verdict.host and verdict.host.session for verdict in verdicts}) == 1

"""One change of an owner at a time, few in all, a bounded queue."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from rserver.sharing.turns import MOST_OF_ONE, MOST_RUNNING, MOST_WAITING, TooMany, Turns


def failure_of(turn: "Deferred[None]") -> type[object] | None:
    found: list[type[object]] = []

    def note(failure: Failure) -> None:
        found.append(type(failure.value))

    turn.addErrback(note)
    return found[0] if found else None


def test_owners_run_side_by_side_and_each_in_turn() -> None:
    turns = Turns()
    first, again, other = turns.take("ann"), turns.take("ann"), turns.take("ben")
    assert [turn.called for turn in (first, again, other)] == [True, False, True]
    turns.end("ann")
    assert again.called


def test_few_run_at_once() -> None:
    turns = Turns()
    running = [turns.take(f"u{number}") for number in range(MOST_RUNNING)]
    late = turns.take("late")
    assert all(turn.called for turn in running)
    assert not late.called
    turns.end("u0")
    assert late.called


def test_the_queue_is_bounded_for_one_and_for_all() -> None:
    turns = Turns()
    waiting = [turns.take("ann") for _ in range(1 + MOST_OF_ONE)]
    assert failure_of(turns.take("ann")) is TooMany
    others = [turns.take(f"u{number}") for number in range(MOST_RUNNING - 1 + MOST_WAITING - MOST_OF_ONE)]
    assert failure_of(turns.take("late")) is TooMany
    assert [failure_of(turn) for turn in (*waiting, *others)] == [None] * (len(waiting) + len(others))


def test_who_gives_up_leaves_the_queue() -> None:
    turns = Turns()
    turns.take("ann")
    gone, next_one = turns.take("ann"), turns.take("ann")
    gone.cancel()
    assert failure_of(gone) is CancelledError
    turns.end("ann")
    assert next_one.called

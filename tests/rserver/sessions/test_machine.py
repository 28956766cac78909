import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver.sessions.machine import TRANSITIONS, Fate, Input, State, Status
from tests.rserver.doubles import record

RECORD = record("0" * 21)
FATE = Fate("because", 1)


def after(*inputs: Input) -> Status:
    status = Status()
    for happened in inputs:
        status = status.after(happened, RECORD, FATE)
    return status


def test_a_session_comes_up_works_and_is_quit() -> None:
    assert after(Input.WANT).state is State.LAUNCHING
    assert after(Input.WANT, Input.STARTED).record == RECORD
    assert after(Input.WANT, Input.STARTED, Input.ANSWERED).state is State.RUNNING
    assert after(Input.WANT, Input.STARTED, Input.ANSWERED, Input.CLEAN_EXIT) == Status(State.ENDED, None, FATE)


@pytest.mark.parametrize("end", [Input.CLEAN_EXIT, Input.BAD_EXIT, Input.LOST, Input.REFUSED, Input.GAVE_UP])
def test_whatever_ends_a_launch_is_a_failure(end: Input) -> None:
    assert after(Input.WANT, end).state is State.FAILED


@pytest.mark.parametrize(
    "end", [(Input.ANSWERED, Input.CLEAN_EXIT), (Input.ANSWERED, Input.BAD_EXIT), (Input.REFUSED,)]
)
def test_what_is_over_comes_back_only_when_asked(end: tuple[Input, ...]) -> None:
    over = after(Input.WANT, *end)
    assert over.after(Input.WANT) is over
    again = over.after(Input.RESUME)
    assert (again.state, again.record, again.fate) == (State.LAUNCHING, None, None)


def test_a_process_that_was_given_up_may_still_come_up() -> None:
    given_up = after(Input.WANT, Input.STARTED, Input.GAVE_UP)
    assert given_up.record == RECORD
    assert given_up.after(Input.ANSWERED).state is State.RUNNING


@pytest.mark.parametrize(("state", "happened"), list(itertools.product(State, Input)))
def test_every_pair_is_decided(state: State, happened: Input) -> None:
    status = Status(state)
    found = status.after(happened, RECORD, FATE)
    expected = TRANSITIONS[state].get(happened)
    assert found is status if expected is None else found.state is expected


@given(st.lists(st.sampled_from(Input)))
def test_a_running_session_has_a_process_once_it_was_told_of_one(inputs: list[Input]) -> None:
    status = Status()
    for happened in inputs:
        status = status.after(happened, RECORD if happened in {Input.STARTED, Input.FOUND} else None, FATE)
        if status.state in {State.ABSENT, State.LAUNCHING}:
            assert status.fate is None
        if status.state is State.ENDED:
            assert status.record is None

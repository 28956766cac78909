import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver.sessions.machine import MEANINGS, TRANSITIONS, Fate, Input, State, Status
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
    assert given_up.after(Input.ANSWERED) == Status(State.RUNNING, RECORD)


def test_a_suspended_session_comes_back_when_it_is_wanted() -> None:
    suspended = after(Input.WANT, Input.STARTED, Input.ANSWERED, Input.SUSPEND, Input.SUSPENDED_EXIT)
    assert suspended == Status(State.SUSPENDED, None, FATE)
    for wish in (Input.WANT, Input.RESUME):
        again = suspended.after(wish)
        assert again == Status(State.RESUMING)
        assert again.after(Input.STARTED, RECORD).after(Input.ANSWERED).state is State.RUNNING
        assert again.after(Input.BAD_EXIT, fate=FATE) == Status(State.FAILED, None, FATE)


def test_one_that_stays_runs_on_and_says_why() -> None:
    stayed = after(Input.WANT, Input.STARTED, Input.ANSWERED, Input.SUSPEND, Input.STAYED)
    assert stayed == Status(State.RUNNING, RECORD, FATE)
    assert stayed.after(Input.SUSPEND) == Status(State.SUSPENDING, RECORD)


@pytest.mark.parametrize("state", [State.ABSENT, State.SUSPENDED, State.FAILED])
def test_only_what_has_no_process_can_be_put_away(state: State) -> None:
    assert Status(state).after(Input.PUT_AWAY, fate=FATE) == Status(State.ENDED, None, FATE)
    with_process = Status(state, RECORD)
    assert with_process.after(Input.PUT_AWAY) is with_process


def test_every_input_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Input)


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

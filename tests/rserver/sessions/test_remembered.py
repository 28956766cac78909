import pytest

from rserver.sessions.machine import Fate, State, Status
from rserver.sessions.remembered import Remembered, decode, encode
from tests.rserver.doubles import record

FATE = Fate("because", None, 11, "tail")


@pytest.mark.parametrize("state", [State.FAILED, State.ENDED, State.SUSPENDED])
def test_what_is_over_stays_over_in_the_same_life(state: State) -> None:
    status = Status(state, None, FATE)
    assert decode(encode(status, "7.1"), "7.1") == Remembered(status)


@pytest.mark.parametrize("state", [State.SUSPENDED, State.ENDED])
@pytest.mark.parametrize("life", ["8.1", ""])
def test_what_is_suspended_or_quit_stays_so_over_restarts_of_everything(state: State, life: str) -> None:
    status = Status(state, None, FATE)
    assert decode(encode(status, "7.1"), life) == Remembered(status)


@pytest.mark.parametrize("state", [State.RUNNING, State.SUSPENDING, State.RESUMING])
def test_what_ran_when_everything_ended_is_suspended_and_says_so(state: State) -> None:
    status, had_process, *_ = decode(encode(Status(state), "7.1"), "8.1")
    assert (status.state, had_process) == (State.SUSPENDED, False)
    assert status.fate is not None
    assert "restarted" in status.fate.cause


@pytest.mark.parametrize("state", [State.LAUNCHING, State.RUNNING, State.SUSPENDING, State.RESUMING])
def test_a_process_must_be_found_again(state: State) -> None:
    assert decode(encode(Status(state, record("0" * 21)), "7.1"), "7.1") == Remembered(had_process=True)


@pytest.mark.parametrize("state", [State.ABSENT, State.LAUNCHING, State.FAILED])
def test_another_life_begins_anew(state: State) -> None:
    assert decode(encode(Status(state, None, FATE), "7.1"), "8.1") == Remembered()
    assert decode(encode(Status(state, None, FATE), ""), "") == Remembered()


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"state": "x", "life": "7.1"}', '{"life": "7.1"}'])
def test_anything_else_is_nothing(text: str) -> None:
    assert decode(text, "7.1") == Remembered()


def test_failures_count_over_a_restart_of_the_worker_and_objects_are_known_over_any() -> None:
    text = encode(Status(State.FAILED, None, FATE), "7.1", 2, 5.0)
    assert decode(text, "7.1")[2:] == (2, 5.0)
    assert decode(text, "8.1")[2:] == (0, 5.0)
    assert decode(encode(Status(State.FAILED, None, FATE), "7.1"), "7.1")[2:] == (0, None)


@pytest.mark.parametrize(("stored", "told"), [(5.0, "saved last comes back."), (0.0, "nothing had"), (None, "if any")])
def test_what_ran_when_everything_ended_says_what_is_left(stored: float | None, told: str) -> None:
    fate = decode(encode(Status(State.RUNNING), "7.1", 0, stored), "8.1").status.fate
    assert fate is not None
    assert told in fate.cause

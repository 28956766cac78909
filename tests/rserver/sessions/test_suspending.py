"""Suspending and resuming."""

import pytest
from twisted.internet.defer import Deferred

from rserver.master_client import MasterError
from rserver.sessions.control import (
    END_GRACE_SECONDS,
    SUSPEND_ANSWER_SECONDS,
    SUSPEND_SECONDS,
)
from rserver.sessions.machine import State, Status
from rserver.sessions.session import StartChoices
from rserver.sessions.suspend_call import SuspendAnswer
from rserver_core import last_word
from tests.rserver.sessions.controlled import House


def suspend(house: House, *, force: bool = False) -> str:
    """Ask a session that knows no such question to suspend; the signal it gets."""
    house.understands = False
    done = Deferred.fromCoroutine(house.control.suspend(house.session, force=force))
    name: str = house.master.answer("signal", {"ok": True})["signal"]
    assert done.called
    return name


def test_suspending_and_resuming(house: House) -> None:
    house.run()
    assert suspend(house) == "USR1"
    assert house.state() is State.SUSPENDING
    assert house.session.target is not None
    house.exit(code=101)
    assert (house.state(), house.fate.code) == (State.SUSPENDED, 101)
    house.control.want(house.session)
    assert house.state() is State.RESUMING
    settled: list[Status] = []
    house.session.when_settled().addCallback(settled.append)
    house.launches.open.pop().callback(house.record(200))
    house.probes.pop().callback(None)
    assert [status.state for status in settled] == [State.RUNNING]
    house.clock.advance(SUSPEND_SECONDS)
    assert house.state() is State.RUNNING
    assert house.session.status.fate is None


def test_what_stands_against_it_is_told_at_once(house: House) -> None:
    house.run()
    done = Deferred.fromCoroutine(house.control.suspend(house.session, force=False))
    assert (house.state(), house.asked) == (State.SUSPENDING, [False])
    house.answers.pop().callback(SuspendAnswer(False, ("R is working.",)))
    assert done.called
    assert house.state() is State.RUNNING
    assert house.fate.cause == "The session was not suspended. R is working."
    assert not house.master.requests


def test_nobody_waits_until_everything_is_written(house: House) -> None:
    house.run()
    done = Deferred.fromCoroutine(house.control.suspend(house.session, force=True))
    house.clock.advance(SUSPEND_ANSWER_SECONDS)
    assert done.called
    house.clock.advance(10_000)
    assert (house.state(), house.asked) == (State.SUSPENDING, [True])
    house.answers.pop().callback(SuspendAnswer(True))
    house.exit(code=101)
    assert house.state() is State.SUSPENDED


def test_one_that_suspends_itself_unasked(house: House) -> None:
    house.run(proven=False)
    house.exit(code=101)
    assert house.state() is State.SUSPENDED


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        (101, State.SUSPENDED, "The session was suspended. Its objects are kept. Nobody used it for 2 hours."),
        (103, State.ENDED, "The session was killed. Nobody used it for 2 hours."),
        (0, State.ENDED, "R was quit. Nobody used it for 2 hours."),
    ],
)
def test_one_that_nobody_used_says_so_itself(house: House, code: int, state: State, words: str) -> None:
    house.run()
    house.exit(code=code, tail="R said this\n" + last_word.encode("Nobody used it for 2 hours.").decode())
    assert house.state() is state
    assert house.fate.cause == words
    assert house.fate.stderr_tail == "R said this\n"


def test_one_that_stays_can_be_forced(house: House) -> None:
    house.run()
    suspend(house)
    house.clock.advance(SUSPEND_SECONDS)
    assert house.state() is State.RUNNING
    assert "busy" in house.fate.cause
    assert suspend(house, force=True) == "USR2"
    house.exit(code=101)
    assert house.state() is State.SUSPENDED


def test_force_helps_one_that_is_still_thinking_about_it(house: House) -> None:
    house.run()
    assert (suspend(house), suspend(house, force=True)) == ("USR1", "USR2")


def test_a_signal_that_cannot_be_sent_leaves_it_running(house: House) -> None:
    house.run()
    house.understands = False
    done = Deferred.fromCoroutine(house.control.suspend(house.session, force=False))
    house.master.answer("signal", MasterError("timeout", "no launcher"))
    assert isinstance(done.result.value, MasterError)  # type: ignore[attr-defined]
    done.addErrback(lambda _: None)
    assert (house.state(), house.session.status.fate) == (State.RUNNING, None)


def test_who_resumes_one_that_is_just_being_suspended_gets_it_back(house: House) -> None:
    house.run()
    suspend(house)
    assert not house.control.resume(house.session, StartChoices())
    house.exit(code=101)
    assert house.state() is State.RESUMING
    assert len(house.launches.begun) == 2
    house.clock.advance(END_GRACE_SECONDS)
    assert not house.ended


def test_who_changes_their_mind_twice_gets_it_suspended(house: House) -> None:
    house.run()
    suspend(house)
    house.control.resume(house.session, StartChoices())
    Deferred.fromCoroutine(house.control.suspend(house.session, force=False))
    house.exit(code=101)
    assert house.state() is State.SUSPENDED

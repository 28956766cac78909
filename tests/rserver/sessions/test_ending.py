"""Quitting, killing, and what the next start is told."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rserver.master_client import MasterError
from rserver.sessions.control import (
    LOSS_GRACE_SECONDS,
    QUIT_ANSWER_SECONDS,
)
from rserver.sessions.machine import Input, State
from rserver.sessions.quit_call import QuitAnswer
from rserver.sessions.session import StartChoices
from tests.rserver.sessions.controlled import House


def quit_session(house: House, save: str = "default") -> "Deferred[QuitAnswer | None]":
    return Deferred.fromCoroutine(house.control.quit(house.session, save))


def test_a_session_that_is_quit_is_asked_and_ends(house: House) -> None:
    house.run()
    done = quit_session(house, "yes")
    asked, answer = house.quits.pop()
    assert asked == "yes"
    answer.callback(QuitAnswer(True))
    assert done.result is None
    house.exit(code=0)
    assert (house.state(), house.fate.cause) == (State.ENDED, "The session was ended by its user.")
    assert not house.master.asked("signal")


@pytest.mark.parametrize("answer", [QuitAnswer(False, image="/home/alice/.RData"), QuitAnswer(False, reason="Full.")])
def test_a_session_that_goes_on_says_why_and_may_crash_later(house: House, answer: QuitAnswer) -> None:
    house.run()
    done = quit_session(house)
    house.quits.pop()[1].callback(answer)
    assert done.result == answer
    assert house.state() is State.RUNNING
    house.exit(code=None, signal=11)
    assert house.state() is State.FAILED


def test_nobody_waits_long_for_a_session_that_saves(house: House) -> None:
    house.run()
    done = quit_session(house)
    house.clock.advance(QUIT_ANSWER_SECONDS)
    assert done.result is None
    house.quits.pop()[1].callback(QuitAnswer(False, reason="Full."))
    house.exit(code=None, signal=11)
    assert house.state() is State.FAILED


def test_a_quit_with_another_status_is_no_failure(house: House) -> None:
    house.run()
    house.exit(code=3, tail="a warning\nR was quit with status 3.\n")
    assert (house.state(), house.fate.cause) == (State.ENDED, "R was quit with status 3.")


def test_a_quit_with_the_code_of_a_suspension_is_none(house: House) -> None:
    house.run()
    house.exit(code=101, tail="R was quit with status 101.\n")
    assert (house.state(), house.fate.cause) == (State.ENDED, "R was quit with status 101.")


@pytest.mark.parametrize(("how", "signal"), [("quit", "TERM"), ("kill", "KILL")])
def test_what_its_user_ends_has_ended_and_not_failed(house: House, how: str, signal: str) -> None:
    house.understands = False
    house.run()
    Deferred.fromCoroutine(getattr(house.control, how)(house.session))
    assert house.master.answer("signal", {"ok": True})["signal"] == signal
    house.exit(code=None, signal=9)
    assert house.state() is State.ENDED
    assert "by its user" in house.fate.cause
    assert house.control.resume(house.session, StartChoices())
    house.launches.open.pop().callback(house.record(200))
    house.probes.pop().callback(None)
    house.exit(200, code=None, signal=11)
    assert house.state() is State.FAILED


def test_one_that_is_gone_already_need_not_be_killed(house: House) -> None:
    house.run()
    done = Deferred.fromCoroutine(house.control.kill(house.session))
    house.master.answer("signal", MasterError("unknown_session", "this session does not run"))
    assert done.called
    assert not isinstance(done.result, Failure)
    house.master.answer("list", {"sessions": []})
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert house.state() is State.ENDED


def test_one_that_is_ended_before_it_has_a_process_is_told_when_it_has_one(house: House) -> None:
    house.control.want(house.session)
    Deferred.fromCoroutine(house.control.kill(house.session))
    house.launches.open.pop().callback(house.record())
    assert house.master.answer("signal", {"ok": True})["signal"] == "KILL"
    house.exit(code=None, signal=9)
    assert house.state() is State.ENDED


def test_a_suspended_one_can_be_put_away(house: House) -> None:
    house.run()
    house.exit(code=101)
    Deferred.fromCoroutine(house.control.quit(house.session))
    assert house.state() is State.ENDED
    house.control.want(house.session)
    assert house.state() is State.ENDED


@pytest.mark.parametrize(
    "event",
    [
        {"event": "started", "session": {}},
        {"event": "started"},
        {"event": "exited"},
        {"event": "exited", "session": "x", "pid": []},
        {"event": "exited", "session": 5, "pid": 5, "code": "x"},
        {"event": "unheard of"},
    ],
)
def test_broken_events_change_nothing(house: House, event: dict[str, Any]) -> None:
    house.run()
    house.control.on_event(event)
    assert house.state() is State.RUNNING


def test_a_probe_that_fails_is_made_again(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(house.record())
    house.probes.pop().errback(ConnectionResetError())
    assert not house.probes
    house.clock.advance(1)
    house.probes.pop().callback(None)
    assert house.state() is State.RUNNING


def test_a_session_that_restarts_itself_is_started_at_once_with_its_objects(house: House) -> None:
    house.run()
    house.session.choices = StartChoices(run_rprofile=False, restore=False)
    house.exit(code=102)
    assert house.state() is State.RESUMING
    assert house.session.choices == StartChoices(run_rprofile=False)
    assert house.session.crash is None


def test_the_next_process_is_told_how_the_last_one_failed(house: House) -> None:
    house.run()
    house.exit(code=None, signal=11)
    house.control.resume(house.session, StartChoices())
    assert house.session.crash is not None
    assert "SIGSEGV" in house.session.crash.cause
    house.launches.open.pop().callback(house.record(200))
    house.probes.pop().callback(None)
    house.session.proven = True
    house.exit(200, code=0)
    house.control.resume(house.session, StartChoices())
    assert house.session.crash is None


def test_quick_failures_in_a_row_are_counted(house: House) -> None:
    house.session.note_end(100.0, 50.0, Input.BAD_EXIT)
    assert house.session.quick_failures == 0
    house.run()
    house.exit(code=None, signal=11)
    house.session.note_end(100.0, 71.0, Input.BAD_EXIT)
    house.session.note_end(200.0, 190.0, Input.BAD_EXIT)
    assert house.session.quick_failures >= 2
    house.session.note_end(300.0, 270.0, Input.BAD_EXIT)
    assert house.session.quick_failures == 0


def test_whether_objects_come_back_is_known(house: House) -> None:
    house.session.stored = 0.0
    house.run()
    house.session.proven = True
    house.exit(code=None, signal=11)
    assert house.session.stored == 0.0
    house.control.resume(house.session, StartChoices())
    house.run()
    house.exit(code=101)
    assert house.session.stored == house.session.last_used
    house.control.resume(house.session, StartChoices())
    house.run()
    house.exit(code=None, signal=11)
    assert house.session.stored != 0.0
    house.control.resume(house.session, StartChoices(restore=False))
    assert house.session.stored == 0.0


def test_the_next_session_is_told_which_folders_nobody_needs(house: House) -> None:
    house.run()
    house.exit(code=101)
    Deferred.fromCoroutine(house.control.quit(house.session))
    other = house.table.create("alice", 1001)
    house.control.resume(other, StartChoices())
    assert other.leftovers == (house.session.id,)
    house.control.resume(house.session, StartChoices())
    assert house.session.leftovers == ()
    assert house.table.leftovers.of(("alice", 1001)) == ()

"""Launching, and what an end means."""

from dataclasses import replace

from rserver.master_client import MasterError
from rserver.sessions.control import (
    END_GRACE_SECONDS,
    KILL_SECONDS,
)
from rserver.sessions.machine import Fate, State, Status
from rserver.sessions.session import StartChoices
from rserver.sessions.starter import NotStarted
from tests.rserver.sessions.controlled import LIMIT, House


def test_fifty_requests_start_one_process(house: House) -> None:
    settled: list[Status] = []
    for _ in range(50):
        house.control.want(house.session)
        house.session.when_settled().addCallback(settled.append)
    assert len(house.launches.begun) == 1
    house.launches.open.pop().callback(house.record())
    assert not settled
    house.probes.pop().callback(None)
    assert [status.state for status in settled] == [State.RUNNING] * 50
    assert house.session.target is not None
    assert house.session.target.socket_path == house.record().socket


def test_who_gives_up_waiting_disturbs_nobody(house: House) -> None:
    house.control.want(house.session)
    settled: list[Status] = []
    gone, patient = house.session.when_settled(), house.session.when_settled().addCallback(settled.append)
    gone.addErrback(lambda _: None)
    gone.cancel()
    house.launches.open.pop().callback(house.record())
    house.probes.pop().callback(None)
    assert len(settled) == 1
    assert patient.called


def test_a_launch_that_never_happens_fails_after_the_limit(house: House) -> None:
    """NeverLauncher."""
    house.control.want(house.session)
    settled: list[Status] = []
    house.session.when_settled().addCallback(settled.append)
    house.clock.advance(LIMIT - 1)
    assert house.state() is State.LAUNCHING
    house.clock.advance(1)
    assert house.state() is State.FAILED
    assert "60 seconds" in house.fate.cause
    assert len(settled) == 1


def test_a_process_that_comes_up_late_is_taken(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(house.record())
    house.clock.advance(LIMIT)
    assert house.state() is State.FAILED
    house.probes.pop().callback(None)
    assert house.state() is State.RUNNING
    assert house.session.target is not None


def test_a_refusal_is_told(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().errback(NotStarted(Fate("No R was found: none.")))
    assert (house.state(), house.fate.cause) == (State.FAILED, "No R was found: none.")
    house.control.want(house.session)
    assert len(house.launches.begun) == 1


def test_an_end_before_the_first_answer_is_a_failure_even_with_code_0(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(house.record())
    house.exit(code=0, tail="Error in .Rprofile")
    assert house.state() is State.FAILED
    assert house.fate.stderr_tail == "Error in .Rprofile"


def test_what_still_hangs_on_an_ended_session_is_cut_off_after_its_requests_were_answered(house: House) -> None:
    house.run()
    house.exit(code=1)
    assert not house.ended
    house.clock.advance(END_GRACE_SECONDS)
    assert house.ended == [house.session.id]


def test_nothing_is_cut_off_once_the_session_was_started_again(house: House) -> None:
    house.run()
    house.exit(code=1)
    house.control.resume(house.session, StartChoices())
    house.clock.advance(END_GRACE_SECONDS)
    assert not house.ended


def test_an_end_of_a_session_that_answered_nobody_but_us_is_a_failure(house: House) -> None:
    house.run(proven=False)
    house.exit(code=0)
    assert house.state() is State.FAILED
    assert "profile" in house.fate.cause


def test_q_ends_a_session_and_a_crash_fails_it(house: House) -> None:
    house.run()
    house.exit(code=0)
    assert house.state() is State.ENDED
    house.control.want(house.session)
    assert house.state() is State.ENDED
    assert house.control.resume(house.session, StartChoices())
    house.launches.open.pop().callback(house.record(200))
    house.probes.pop().callback(None)
    house.exit(200, code=None, signal=11)
    assert house.state() is State.FAILED
    assert "SIGSEGV" in house.fate.cause


def test_the_end_of_an_older_process_means_nothing(house: House) -> None:
    house.run(200)
    house.exit(100, code=1)
    assert house.state() is State.RUNNING


def test_choices_of_the_failure_page_reach_the_start(house: House) -> None:
    house.run()
    house.exit(code=1)
    choices = StartChoices(run_rprofile=False)
    house.control.resume(house.session, choices)
    assert house.launches.begun[-1] == choices
    house.exit(code=1)
    assert not house.control.resume(house.session, StartChoices())


def test_a_hung_process_is_killed_before_the_next_is_started(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(house.record())
    house.clock.advance(LIMIT)
    house.control.resume(house.session, StartChoices())
    assert house.state() is State.LAUNCHING
    assert house.master.answer("signal", {"ok": True})["signal"] == "KILL"
    assert len(house.launches.begun) == 1
    house.exit(code=None, signal=9)
    assert len(house.launches.begun) == 2
    house.launches.open.pop().callback(house.record(200))
    house.probes.pop().callback(None)
    assert house.state() is State.RUNNING


def test_a_process_that_cannot_be_killed_does_not_stop_the_next(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(house.record())
    house.clock.advance(LIMIT)
    house.control.resume(house.session, StartChoices())
    house.master.answer("signal", {"ok": True})
    house.clock.advance(KILL_SECONDS)
    assert len(house.launches.begun) == 2


def test_a_process_of_another_uid_is_not_let_in(house: House) -> None:
    house.control.want(house.session)
    house.launches.open.pop().callback(replace(house.record(), uid=2001))
    assert house.state() is State.FAILED
    assert house.master.answer("signal", MasterError("failed", "no"))["signal"] == "KILL"

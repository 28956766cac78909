from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rserver.master_client import MasterError
from rserver.sessions.control import (
    END_GRACE_SECONDS,
    KILL_SECONDS,
    LOSS_GRACE_SECONDS,
    QUIT_ANSWER_SECONDS,
    SUSPEND_ANSWER_SECONDS,
    SUSPEND_SECONDS,
    SessionControl,
)
from rserver.sessions.machine import Fate, Input, State, Status
from rserver.sessions.probe import NoAnswer
from rserver.sessions.quit_call import QuitAnswer
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.starter import NotStarted
from rserver.sessions.suspend_call import SuspendAnswer
from rserver.sessions.table import SessionTable
from rserver_core import last_word
from rserver_core.launch_wire import SessionRecord
from tests.rserver.doubles import FakeMaster, record

LIMIT = 60


class Launches:
    """Starts sessions when the test says so."""

    def __init__(self) -> None:
        self.begun: list[StartChoices] = []
        self.open: list[Deferred[SessionRecord]] = []

    async def start(self, session: Session) -> SessionRecord:
        self.begun.append(session.choices)
        self.open.append(Deferred())
        return await self.open[-1]


class House:
    """Session control with its surroundings; `session` is alice's."""

    def __init__(self) -> None:
        self.clock, self.master, self.launches = Clock(), FakeMaster(), Launches()
        self.probes: list[Deferred[None]] = []
        self.ended: list[str] = []
        self.understands = True
        self.quits: list[tuple[str, Deferred[QuitAnswer]]] = []
        self.asked: list[bool] = []
        self.answers: list[Deferred[SuspendAnswer]] = []
        self.table = SessionTable()
        self.control = SessionControl(
            self.clock,
            self.table,
            self.master,
            self.launches,
            self._probe,
            LIMIT,
            lambda s: self.ended.append(s.id),
            self._ask_to_suspend,
            self._ask_to_quit,
        )
        self.session = self.table.one_of_user("alice", 1001)

    def _probe(self, _record: SessionRecord) -> "Deferred[None]":
        self.probes.append(Deferred())
        return self.probes[-1]

    def _ask_to_quit(self, _record: SessionRecord, save: str) -> "Deferred[QuitAnswer]":
        self.quits.append((save, Deferred()))
        if not self.understands:
            self.quits[-1][1].errback(NoAnswer())
        return self.quits[-1][1]

    def _ask_to_suspend(self, _record: SessionRecord, force: bool) -> "Deferred[SuspendAnswer]":
        self.asked.append(force)
        self.answers.append(Deferred())
        if not self.understands:
            self.answers[-1].errback(NoAnswer())
        return self.answers[-1]

    def state(self) -> State:
        return self.session.state

    @property
    def fate(self) -> Fate:
        assert self.session.status.fate
        return self.session.status.fate

    def record(self, pid: int = 100) -> SessionRecord:
        return record(self.session.id, pid=pid)

    def run(self, pid: int = 100, *, proven: bool = True) -> None:
        """Bring the session to RUNNING."""
        self.control.want(self.session)
        self.launches.open.pop().callback(self.record(pid))
        self.probes.pop().callback(None)
        self.session.proven = proven
        assert self.state() is State.RUNNING

    def exit(self, pid: int = 100, code: int | None = 0, signal: int | None = None, tail: str = "") -> None:
        self.control.on_event(
            {
                "event": "exited",
                "session": self.session.id,
                "pid": pid,
                "code": code,
                "signal": signal,
                "stderr_tail": tail,
            }
        )


@pytest.fixture
def house() -> House:
    return House()


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


def test_a_restarted_worker_finds_its_sessions(house: House) -> None:
    done = Deferred.fromCoroutine(house.control.restore())
    house.master.answer("list", {"sessions": [house.record().to_json(), record("f" * 21, "bob", 1002, 300).to_json()]})
    assert done.called
    assert house.state() is State.LAUNCHING
    for probe in house.probes:
        probe.callback(None)
    assert house.state() is State.RUNNING
    assert house.table.find("f" * 21, "bob", 1002) is not None
    assert not house.launches.begun
    house.exit(code=0)
    assert house.state() is State.ENDED


def test_a_restarted_launcher_is_asked_what_runs(house: House) -> None:
    house.run()
    house.control.on_event({"event": "launcher_restarted"})
    house.master.answer("list", {"sessions": [house.record().to_json()]})
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert house.state() is State.RUNNING
    house.control.on_event({"event": "launcher_restarted"})
    house.master.answer("list", {"sessions": []})
    assert house.state() is State.RUNNING
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert house.state() is State.FAILED


def ended(house: House, code: int | None, signal: int | None = None, pid: int = 100) -> dict[str, Any]:
    """An end as the launcher remembers it."""
    return {"session": house.session.id, "pid": pid, "code": code, "signal": signal, "stderr_tail": ""}


def test_an_end_that_no_worker_heard_of_is_remembered_by_the_launcher(house: House) -> None:
    house.session.had_process = True
    Deferred.fromCoroutine(house.control.restore())
    house.master.answer("list", {"sessions": [], "exited": [ended(house, 101)]})
    assert house.state() is State.SUSPENDED


def test_an_end_that_was_lost_with_the_launcher_is_told_by_its_successor(house: House) -> None:
    house.run()
    house.control.on_event({"event": "launcher_restarted"})
    house.master.answer("list", {"sessions": [], "exited": [ended(house, None, 11)]})
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert "SIGSEGV" in house.fate.cause


def test_the_end_of_an_older_process_explains_no_loss(house: House) -> None:
    house.run()
    house.control.on_event({"event": "launcher_restarted"})
    house.master.answer("list", {"sessions": [], "exited": [ended(house, 101, pid=99)]})
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert house.state() is State.FAILED


def test_one_that_said_it_is_suspended_is_so_although_nobody_saw_its_end(house: House) -> None:
    house.run()
    Deferred.fromCoroutine(house.control.suspend(house.session, force=False))
    house.answers.pop().callback(SuspendAnswer(True))
    house.exit(code=None)
    assert house.state() is State.SUSPENDED


def test_an_end_that_nobody_saw_is_told_as_that(house: House) -> None:
    house.run()
    house.exit(code=None)
    assert house.state() is State.FAILED
    assert "not known" in house.fate.cause


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"code": None, "signal": 9, "by": "administrator"}, "An administrator ended this session."),
        ({"code": None, "signal": None, "by": "administrator"}, "An administrator ended this session."),
        ({"code": 143, "signal": None}, "ended from outside: its process was sent SIGTERM."),
        ({"code": None, "signal": 15}, "ended from outside: its process was sent SIGTERM."),
    ],
)
def test_an_end_from_outside_is_no_failure(house: House, end: dict[str, Any], words: str) -> None:
    house.run()
    house.control.on_event({"event": "exited", "session": house.session.id, "pid": 100, "stderr_tail": "", **end})
    assert house.state() is State.ENDED
    assert words in house.fate.cause
    assert house.session.quick_failures == 0


def test_a_late_word_about_the_end_counts_more_than_the_loss(house: House) -> None:
    house.run()
    house.control.on_event({"event": "launcher_restarted"})
    house.master.answer("list", {"sessions": []})
    house.exit(code=None, signal=9)
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert "SIGKILL" in house.fate.cause


def test_it_asks_again_until_there_is_an_answer_and_one_question_at_a_time(house: House) -> None:
    house.control.reconcile()
    house.control.reconcile()
    house.control.reconcile()
    assert len(house.master.open) == 1
    house.master.answer("list", MasterError("timeout", "no launcher"))
    house.clock.advance(1)
    house.master.answer("list", {"sessions": []})
    house.master.answer("list", {"sessions": []})
    assert not house.master.open


def test_a_launch_during_the_question_is_not_lost(house: House) -> None:
    house.control.reconcile()
    house.run()
    house.master.answer("list", {"sessions": []})
    house.clock.advance(LOSS_GRACE_SECONDS)
    assert house.state() is State.RUNNING


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

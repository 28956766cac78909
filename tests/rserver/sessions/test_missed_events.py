"""What nobody told: restarts of worker and launcher, ends that nobody saw."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rserver.master_client import MasterError
from rserver.sessions import causes
from rserver.sessions.control import LOSS_GRACE_SECONDS
from rserver.sessions.machine import State, Status
from rserver.sessions.suspend_call import SuspendAnswer
from tests.rserver.doubles import record
from tests.rserver.sessions.controlled import House


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


@pytest.mark.parametrize(
    ("code", "signal", "state"), [(101, None, State.SUSPENDED), (0, None, State.ENDED), (None, 11, State.FAILED)]
)
def test_an_end_while_the_whole_server_was_away_is_told_as_that(
    house: House, code: int | None, signal: int | None, state: State
) -> None:
    house.session.status = Status(State.SUSPENDED, None, causes.of_restart(None))
    Deferred.fromCoroutine(house.control.restore())
    house.master.answer("list", {"sessions": [], "exited": [ended(house, code, signal)]})
    assert house.state() is state
    assert "restarted" not in house.fate.cause
    assert bool(house.session.stored) == (state is State.SUSPENDED)


def test_one_that_was_suspended_long_ago_is_not_ended_by_what_is_remembered(house: House) -> None:
    house.session.status = Status(State.SUSPENDED, None, causes.of_suspension())
    Deferred.fromCoroutine(house.control.restore())
    house.master.answer("list", {"sessions": [], "exited": [ended(house, None, 9)]})
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

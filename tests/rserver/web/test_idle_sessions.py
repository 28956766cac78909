"""Sessions that nobody uses are asked to suspend themselves."""

from pathlib import Path

import pytest

from rserver.sessions.idle_watch import LOOK_SECONDS
from rserver.sessions.machine import State
from rserver.sessions.session import Session
from tests.rserver.web.house import House

MINUTES = 10
TIMEOUT = MINUTES * 60


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.master.answers["signal"] = lambda _: {"ok": True}
    made.worker.idle.timeout_minutes = MINUTES
    made.worker.idle.begin()
    return made


def running(house: House) -> Session:
    session = house.session_of()
    house.worker.control.want(session)
    house.run(session)
    return session


def wait(house: House, seconds: float) -> None:
    house.clock.pump([LOOK_SECONDS] * int(seconds / LOOK_SECONDS))


def asked(house: House) -> int:
    return len(house.master.asked("signal"))


def test_one_that_nobody_uses_is_suspended_and_says_why(house: House) -> None:
    session = running(house)
    wait(house, TIMEOUT - LOOK_SECONDS)
    assert session.state is State.RUNNING
    wait(house, 2 * LOOK_SECONDS)
    assert [request["signal"] for request in house.master.asked("signal")] == ["USR1"]
    house.exit(session, code=101)
    assert session.status.fate
    assert session.status.fate.cause.endswith("Nobody used it for 10 minutes.")


def test_who_listens_keeps_it_and_the_time_runs_from_when_the_last_one_left(house: House) -> None:
    session, gate = running(house), house.worker.gate
    gate.connected(session.id)
    wait(house, 5 * TIMEOUT)
    assert asked(house) == 0
    gate.disconnected(session.id)
    wait(house, TIMEOUT - LOOK_SECONDS)
    assert asked(house) == 0
    wait(house, 2 * LOOK_SECONDS)
    assert asked(house) == 1


def test_one_that_works_is_asked_again_later(house: House) -> None:
    session = running(house)
    house.blockers = ["R is working."]
    wait(house, TIMEOUT + LOOK_SECONDS)
    assert session.state is State.RUNNING
    assert session.status.fate
    assert "R is working" in session.status.fate.cause
    house.blockers = None
    wait(house, TIMEOUT - 3 * LOOK_SECONDS)
    assert asked(house) == 0
    wait(house, 4 * LOOK_SECONDS)
    assert asked(house) == 1


@pytest.mark.parametrize("end", [0, 1, 101])
def test_what_does_not_run_is_left_alone(house: House, end: int) -> None:
    session = running(house)
    house.exit(session, code=end)
    wait(house, 3 * TIMEOUT)
    assert asked(house) == 0


def test_never(house: House) -> None:
    house.worker.idle.timeout_minutes = 0
    running(house)
    wait(house, 30 * TIMEOUT)
    assert asked(house) == 0


def test_the_time_is_read_again_with_the_options(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (house.directory / "rsession.conf").write_text("session-timeout-minutes=7\n")
    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(house.directory))
    house.worker.on_event({"event": "options", "options": {}, "cookie_keys": ["61" * 32]})
    assert house.worker.idle.timeout_minutes == 7

"""What a session says of itself reaches its user while it is true."""

import pytest
from twisted.internet.defer import Deferred

from rserver.sessions.activity import FRESH_SECONDS, Activity
from rserver.sessions.session import Session
from tests.rserver.web.house import Browser, House

OPEN = "Connections are open: x.txt."


@pytest.fixture
def session(house: House) -> Session:
    made = house.session_of()
    house.worker.control.want(made)
    house.run(made)
    return made


@pytest.fixture
def browser(house: House, session: Session) -> Browser:
    return house.browse("alice")


def shown(house: House, browser: Browser) -> dict[str, object]:
    house.clock.advance(FRESH_SECONDS)
    (listed,) = browser.json("GET", "/api/sessions")[1]["sessions"]
    return dict(listed)


def test_idle_and_busy(house: House, browser: Browser) -> None:
    house.activity = Activity(754.2, busy=False)
    listed = shown(house, browser)
    assert (listed["idle_seconds"], listed["busy"], listed["blockers"], listed["notice"]) == (754.2, False, [], "")
    assert "idle for 12 minutes" in browser.get("/home").body.decode()
    house.activity = Activity(0.0, busy=True, blockers=("R is working.",))
    listed = shown(house, browser)
    assert (listed["blockers"], listed["held"], listed["notice"]) == (["R is working."], False, "")
    page = browser.get("/home").body.decode()
    assert '<dd data-fact="doing">R is working</dd>' in page
    assert "Suspend anyway" not in page


def test_what_stands_against_a_suspension_that_is_due(house: House, browser: Browser) -> None:
    house.activity = Activity(0.0, busy=True, blockers=("R is working.",), is_held=True)
    assert shown(house, browser)["notice"] == "It cannot be suspended at the moment. R is working."
    assert "Suspend anyway" in browser.get("/home").body.decode()


def test_a_session_that_does_not_answer_shows_nothing_of_it(house: House, browser: Browser) -> None:
    listed = shown(house, browser)
    assert (listed["idle_seconds"], listed["busy"], listed["blockers"], listed["ends"]) == (None, None, [], None)


def test_the_near_end_is_told(house: House, browser: Browser) -> None:
    house.activity = Activity(100.0, False, (), "kill", 600)
    listed = shown(house, browser)
    assert (listed["ends"], listed["ends_in_seconds"]) == ("kill", 600)
    assert str(listed["notice"]).startswith("It will be killed in 10 minutes, because nobody uses it.")


def test_what_stood_against_a_suspension_is_shown_until_it_is_gone(
    house: House, browser: Browser, session: Session
) -> None:
    house.blockers = ["R is working."]
    house.result(Deferred.fromCoroutine(house.worker.control.suspend(session, force=False)))
    house.activity = Activity(1.0, busy=False, blockers=(OPEN,))
    assert shown(house, browser)["cause"] == f"The session was not suspended. {OPEN}"
    house.activity = Activity(1.0, busy=False)
    shown(house, browser)
    assert shown(house, browser)["cause"] is None
    assert session.status.fate is None


def test_that_it_could_not_be_written_stays(house: House, browser: Browser, session: Session) -> None:
    house.blockers, house.is_blocked = ["The disk is full."], False
    house.result(Deferred.fromCoroutine(house.worker.control.suspend(session, force=False)))
    house.activity = Activity(1.0, busy=False)
    shown(house, browser)
    assert shown(house, browser)["cause"] == "The session was not suspended. The disk is full."


@pytest.mark.parametrize(("seconds", "told"), [(0, "in a moment"), (1, "in a moment"), (2, "in 2 seconds")])
def test_an_end_that_is_near_is_told_in_words(house: House, browser: Browser, seconds: int, told: str) -> None:
    house.activity = Activity(90.0, False, (), "suspend", seconds)
    notice = str(shown(house, browser)["notice"])
    assert notice.startswith(f"It will be suspended {told}, because nobody uses it.")

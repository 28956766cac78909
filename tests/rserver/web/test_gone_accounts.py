"""Accounts that are deleted, or whose number somebody else gets, while their sessions run."""

import asyncio
import json

import pytest

from rserver.sessions.evictions import WATCH_SECONDS
from rserver.sessions.machine import State
from rserver.sessions.session import Session
from rserver.sign_in.audit import FILE_NAME
from rserver.sign_in.standing import BAD_SECONDS, DOUBT_SECONDS, SURE_SECONDS
from rserver.web.request import Response
from tests.rserver import own_loop
from tests.rserver.web.house import ALICE, Browser, House


@pytest.fixture
def browser(house: House) -> Browser:
    return house.browse("alice")


@pytest.fixture
def session(house: House, browser: Browser) -> Session:
    browser.get("/")
    made = house.session_of()
    house.worker.control.want(made)
    house.run(made)
    house.worker.keep_watching()
    return made


def rpc(house: House, browser: Browser, session: Session) -> object:
    head = browser.head("POST", f"/s/{session.id}/rpc/x", headers={"accept": "application/json"})
    return house.worker.gate.session_target(ALICE, session.id, head)


def watch(house: House, seconds: float) -> None:
    """That long, and the look before."""
    for _ in range(int(seconds / WATCH_SECONDS) + 1):
        house.clock.advance(WATCH_SECONDS)


def state_of(session: Session) -> State:
    return session.state


def audited(house: House) -> list[dict[str, object]]:
    lines = (house.directory / FILE_NAME).read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] == "account_gone"]


def test_a_deleted_account_is_refused_soon_and_its_session_ended_when_that_is_sure(
    house: House, browser: Browser, session: Session
) -> None:
    del house.names["alice"]
    watch(house, DOUBT_SECONDS)
    answer = rpc(house, browser, session)
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert "alice does not exist" in json.loads(answer.body)["error"]["message"]
    page = browser.get(f"/s/{session.id}/", {"accept": "text/html"})
    assert page.status == 403
    assert b"does not exist" in page.body
    assert "user-id" not in browser.jar
    assert state_of(session) is State.RUNNING
    watch(house, SURE_SECONDS)
    assert house.master.asked("signal")[0]["signal"] == "KILL"
    house.exit(session, signal=9)
    assert state_of(session) is State.ENDED
    assert session.status.fate
    assert "does not exist" in session.status.fate.cause
    assert [(entry["user"], entry["uid"]) for entry in audited(house)] == [("alice", 1001)]
    assert "alice" in house.front.users


def test_a_number_that_somebody_else_got_ends_the_session_at_once(
    house: House, browser: Browser, session: Session
) -> None:
    house.names = {"heir": 1001}
    house.clock.advance(WATCH_SECONDS)
    assert house.master.asked("signal")[0]["signal"] == "KILL"
    house.exit(session, signal=9)
    assert session.quick_failures == 0
    house.clock.advance(5 * WATCH_SECONDS)
    assert len(audited(house)) == 1


def test_old_cookies_are_worth_nothing_for_a_new_account_with_the_same_name_and_number(
    house: House, browser: Browser, session: Session
) -> None:
    jar = dict(browser.jar)
    house.names = {"heir": 1001}
    house.clock.advance(WATCH_SECONDS)
    house.names = {"alice": 1001}
    house.clock.advance(WATCH_SECONDS)
    browser.jar = jar
    assert browser.user() is None
    assert house.browse("alice").user() == "alice"


def test_a_signed_in_browser_without_a_session_is_refused_too_and_not_renewed(house: House, browser: Browser) -> None:
    del house.names["alice"]
    house.clock.advance(3600 - 1 - DOUBT_SECONDS)
    assert browser.json("GET", "/api/sessions")[0] == 200
    house.clock.advance(DOUBT_SECONDS)
    house.result(house.worker.threads.accounts.run(lambda: None))
    status, answer = browser.json("GET", "/api/sessions")
    assert (status, answer["error"]["code"]) == (401, 3)
    assert not any(value.startswith("user-id") for value in browser.set_cookies)
    assert browser.get("/home", {"accept": "text/html"}).status == 403
    assert b"password" in browser.get("/auth-sign-in").body


def test_whoever_nothing_new_is_known_of_is_asked_for_first(house: House, browser: Browser, session: Session) -> None:
    del house.names["alice"]
    watch(house, DOUBT_SECONDS)
    house.clock.advance(BAD_SECONDS)

    async def target() -> object:
        found = rpc(house, browser, session)
        assert isinstance(found, asyncio.Task)
        return await found

    answer = own_loop.run(target())
    assert isinstance(answer, Response)
    assert answer.status == 401


def test_a_moment_without_the_name_service_ends_nothing(house: House, browser: Browser, session: Session) -> None:
    house.names.clear()
    watch(house, DOUBT_SECONDS / 2)
    assert not isinstance(rpc(house, browser, session), Response)
    watch(house, DOUBT_SECONDS / 2)
    assert isinstance(rpc(house, browser, session), Response)
    house.names = {"alice": 1001}
    watch(house, 100)
    assert house.master.asked("signal") == []
    assert not isinstance(rpc(house, browser, session), Response)

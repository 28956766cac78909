import json
from typing import Any

import pytest

from rserver.web.request import Response, Target
from tests.rserver.web.house import ALICE, BOB, Browser, House

MINUTE = 60


def renewed(browser: Browser, target: str = "/s/x/rpc/console_input", headers: dict[str, str] | None = None) -> bool:
    seen = browser.house.worker.gate.authenticate(browser.head("POST", target, headers=headers))
    return any(cookie.startswith("user-id=") for cookie in seen.cookies)


def target(house: House, session_id: str, path: str, identity: Any = ALICE) -> Any:
    """What the gate says; a Deferred is not made into a future here."""
    head = house.browse().head("POST", path)
    return house.worker.gate.session_target(identity, session_id, head)


def test_foreground_requests_renew_at_most_every_half_minute(house: House) -> None:
    browser = house.browse("alice")
    assert not renewed(browser)
    house.time += 31
    assert renewed(browser)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/s/x/rpc/get_events", {}),
        ("/s/x/events", {}),
        ("/s/x/anything", {"upgrade": "websocket"}),
        ("/s/x/rpc/client_init", {"x-rstudio-refresh-auth-creds": "0"}),
    ],
)
def test_what_a_page_does_by_itself_does_not_renew(house: House, path: str, headers: dict[str, str]) -> None:
    browser = house.browse("alice")
    house.time += 31
    assert not renewed(browser, path, headers)


def test_idle_people_are_signed_out(house: House) -> None:
    browser = house.browse("alice")
    house.time += 61 * MINUTE
    assert browser.user() is None


@pytest.mark.parametrize("value", ["", "x", "1|alice|1001|9|99999999999|0|k|m", "\xff" * 10, "|" * 2000])
def test_bad_cookies_are_nobodys(house: House, value: str) -> None:
    browser = house.browse()
    browser.jar["user-id"] = value
    assert browser.user() is None


def test_a_running_session_is_found_at_once_and_always_the_same(house: House) -> None:
    session = house.session_of()
    house.worker.control.want(session)
    house.run(session)
    first = target(house, session.id, f"/s/{session.id}/rpc/x")
    assert isinstance(first, Target)
    assert first.headers == (("X-RS-User", "alice"),)
    assert target(house, session.id, f"/s/{session.id}/rpc/y") is first


def test_strangers_and_unknown_ids_look_alike(house: House) -> None:
    session = house.session_of()
    answers = [target(house, session.id, "/rpc/x", BOB), target(house, "f" * 21, "/rpc/x", BOB)]
    assert answers[0] == answers[1]
    assert answers[0].status == 404
    assert json.loads(answers[0].body)["error"]["code"] == 14
    assert not house.master.asked("launch")


def test_a_failed_session_is_told_with_its_state_and_not_started(house: House) -> None:
    session = house.session_of()
    house.worker.control.want(session)
    house.run(session)
    house.exit(session, signal=11, stderr_tail="*** caught segfault ***")
    house.clock.advance(1)
    assert house.front.sessions == [session.id]
    answer = target(house, session.id, f"/s/{session.id}/rpc/x")
    assert isinstance(answer, Response)
    error = json.loads(answer.body)["error"]
    assert error["code"] == 21
    assert (error["session"]["state"], error["session"]["signal"]) == ("failed", 11)
    assert error["session"]["stderr_tail"] == "*** caught segfault ***"
    assert len(house.master.asked("launch")) == 1


def test_event_polls_start_nothing(house: House) -> None:
    session = house.session_of()
    answer = target(house, session.id, f"/s/{session.id}/rpc/get_events")
    assert json.loads(answer.body)["error"]["session"]["state"] == "absent"
    assert not house.master.asked("launch")


def test_a_socket_that_fails_makes_it_ask_what_runs(house: House) -> None:
    session = house.session_of()
    house.worker.control.want(session)
    house.run(session)
    house.worker.gate.failed(session.id, "connection refused")
    house.master.answer("list", {"sessions": []})
    house.clock.advance(1)
    assert session.status.fate is not None


def test_what_the_front_saw_of_unknown_sessions_is_passed_over(house: House) -> None:
    gate = house.worker.gate
    for tell in (gate.connected, gate.disconnected, gate.first_byte):
        tell("f" * 21)
    gate.failed("f" * 21, "why")

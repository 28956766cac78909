"""What somebody may do with a session through the API and the list, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rserver.sessions.machine import State
from tests.rserver.web.house import House, location, new


def test_sessions_from_when_more_were_allowed_stay_within_reach(tmp_path: Path) -> None:
    many = House(tmp_path)
    many.master.answers["signal"] = lambda _: {"ok": True}
    browser = many.browse("alice")
    sessions = [new(browser, label=label) for label in ("one", "two", "three")]
    running, suspended, ended = sessions
    for pid, session in enumerate(sessions, 100):
        many.run(session, pid)
        session.proven = True
    many.clock.advance(5)
    many.exit(suspended, 101, code=101)
    many.clock.advance(5)
    many.exit(ended, 102, code=0)
    many.worker.actions.settings = replace(many.worker.actions.settings, server_multiple_sessions=False)
    assert location(browser.get("/")) == f"/s/{running.id}/"
    page = browser.get("/home")
    assert page.status == 200
    for label in ("one", "two"):
        assert label in page.body.decode()
    assert "one session for each user" in page.body.decode()
    assert "New session" not in page.body.decode()
    assert browser.json("POST", "/api/sessions", {})[1]["id"] == running.id
    assert browser.get(f"/s/{suspended.id}/").status == 200


def test_quick_failures_are_counted_over_a_restart_of_the_worker(tmp_path: Path) -> None:
    house = House(tmp_path, life="7.1")
    browser = house.browse("alice")
    session = new(browser)
    house.run(session)
    house.time = 1e9 - house.clock.seconds()
    house.exit(session, signal=11)
    house.worker.save()
    again = House(tmp_path, life="7.1")
    assert again.browse("alice").json("GET", f"/api/sessions/{session.id}")[1]["quick_failures"] == 1


@pytest.mark.parametrize("state", [State.LAUNCHING, State.ENDED])
def test_what_does_not_run_cannot_be_suspended(house: House, state: State) -> None:
    browser = house.browse("alice")
    session = new(browser)
    if state is State.ENDED:
        house.run(session)
        session.proven = True
        house.exit(session, code=0)
    assert session.state is state
    status, answer = browser.json("POST", f"/api/sessions/{session.id}/suspend", {})
    assert (status, answer["error"]["code"]) == (409, 22)
    assert "nothing to suspend" in answer["error"]["message"]
    page = browser.post("/home", session=session.id, do="suspend")
    assert (page.status, b"nothing to suspend" in page.body) == (409, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "key"),
    [
        ("POST", "", {"labl": "x"}, "labl"),
        ("POST", "", {"leave": {"session": "x", "quits": True}}, "quits"),
        ("POST", "/suspend", {"forcing": True}, "forcing"),
        ("POST", "/resume", {"restored": False}, "restored"),
        ("POST", "/quit", {"saves": "yes"}, "saves"),
        ("PATCH", "/", {"label": "x", "name": "y"}, "name"),
    ],
)
def test_a_misspelt_key_is_named(house: House, method: str, path: str, body: dict[str, Any], key: str) -> None:
    browser = house.browse("alice")
    session = new(browser)
    where = f"/api/sessions/{session.id}{path.rstrip('/')}" if path else "/api/sessions"
    status, answer = browser.json(method, where, body)
    assert (status, answer["error"]["code"]) == (400, 6)
    assert f"`{key}`" in answer["error"]["message"]

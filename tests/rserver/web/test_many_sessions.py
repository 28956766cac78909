"""Several sessions of one user: front page, REST, limits, the page of all sessions."""

from pathlib import Path
from typing import Any

import pytest

from rserver.sessions.machine import Fate, Input, State
from rserver.sessions.quit_call import QuitAnswer
from rserver.sessions.table import MOST_ENDED
from rserver.sessions.user_actions import MOST_SESSIONS
from rserver_core.session_id import NO_PROJECT, SessionId
from tests.rserver.web.house import ALICE, BOB, Browser, House, location, new, running


def states_of(house: House) -> dict[str, State]:
    return {session.id: session.state for session in house.worker.control.table}


def listed(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.json("GET", "/api/sessions")[1]["sessions"]
    return found


def test_each_post_makes_a_session_of_its_own(house: House) -> None:
    browser = house.browse("alice")
    made = [new(browser, label=f"number {number}") for number in range(3)]
    assert len({session.id for session in made}) == 3
    assert len(house.master.asked("launch")) == 3
    for session in made:
        parsed = SessionId.parse(session.id)
        assert parsed
        assert (parsed.project, parsed.owner) == (NO_PROJECT, made[0].id[:5])
    assert {item["label"] for item in listed(browser)} == {"number 0", "number 1", "number 2"}
    assert listed(house.browse("bob")) == []


def test_the_front_page_leads_to_one_session_and_to_the_list_of_several(house: House) -> None:
    browser = house.browse("alice")
    first = location(browser.get("/"))
    assert location(browser.get("/")) == first
    (launched,) = house.master.asked("launch")
    assert launched["launch"]["session"] == first.split("/")[2], "its page follows in a moment"
    front = house.worker.control.table.get(first.split("/")[2])
    assert front
    house.run(front)
    second = running(browser, 101)
    assert location(browser.get("/")) == "/home"
    house.worker.gate.first_byte(second.id)
    house.exit(second, 101, code=0)
    assert second.state is State.ENDED
    assert location(browser.get("/")) == first


def test_with_one_session_for_each_user_everything_leads_to_it(tmp_path: Path) -> None:
    house = House(tmp_path, {"server-multiple-sessions": False, "session-limit": 1})
    browser = house.browse("alice")
    first = location(browser.get("/"))
    assert new(browser).id == new(browser).id == first.split("/")[2]
    assert location(browser.get("/home")) == "/"
    assert location(browser.get("/")) == first


def test_the_list_survives_and_what_was_suspended_stays_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    browser = house.browse("alice")
    kept, quit_one, forgotten = running(browser, 100, label="keep"), running(browser, 101), running(browser, 102)
    house.exit(kept, 100, code=101)
    for session in (quit_one, forgotten):
        house.worker.gate.first_byte(session.id)
    house.exit(quit_one, 101, code=0)
    house.exit(forgotten, 102, code=0)
    assert browser.request("DELETE", f"/api/sessions/{forgotten.id}").status == 204
    house.clock.advance(1)
    again = House(tmp_path)
    states = {item["id"]: (item["state"], item["label"], item["r_version"]) for item in listed(again.browse("alice"))}
    assert states == {
        kept.id: ("suspended", "keep", kept.r_version),
        quit_one.id: ("absent", "", quit_one.r_version),
    }
    assert kept.r_version
    back = again.browse("alice")
    assert back.get(f"/s/{kept.id}/").status == 200
    assert states_of(again) == {kept.id: State.RESUMING, quit_one.id: State.ENDED}
    assert "--r-restore-workspace=1" in again.master.asked("launch")[0]["launch"]["argv"]


def test_a_stampede_stops_at_the_limit(tmp_path: Path) -> None:
    house = House(tmp_path, {"session-limit": 3})
    browser = house.browse("alice")
    answers = [browser.json("POST", "/api/sessions", {}) for _ in range(20)]
    assert [status for status, _ in answers].count(201) == 3
    status, refused = answers[-1]
    assert (status, refused["error"]["code"]) == (409, 20)
    assert "allows 3" in refused["error"]["message"]
    assert len(house.master.asked("launch")) == 3
    assert house.browse("bob").json("POST", "/api/sessions", {})[0] == 201


def test_quitting_one_makes_room_and_starting_it_again_takes_it(tmp_path: Path) -> None:
    house = House(tmp_path, {"session-limit": 1})
    browser, session = house.browse("alice"), house.session_of()
    session.move(*_ended())
    assert new(browser) is not session
    status, refused = browser.json("POST", f"/api/sessions/{session.id}/resume")
    assert (status, refused["error"]["code"]) == (409, 20)
    assert browser.post(f"/s/{session.id}/restart", how="retry").status == 409


def _ended() -> Any:
    return Input.PUT_AWAY, None, Fate("over", 0)


def test_without_a_limit_there_is_still_an_end(house: House) -> None:
    table = house.worker.control.table
    for _ in range(MOST_SESSIONS):
        table.create(ALICE.user, ALICE.uid)
    assert house.browse("alice").json("POST", "/api/sessions", {})[0] == 409


def test_sessions_that_ended_long_ago_are_forgotten(house: House) -> None:
    browser = house.browse("alice")
    for _ in range(40):
        house.worker.control.table.create(ALICE.user, ALICE.uid).move(*_ended())
    assert len(listed(browser)) == MOST_ENDED


def test_a_safe_start(house: House) -> None:
    browser = house.browse("alice")
    new(browser, safe_start=True)
    new(browser)
    safe, full = (asked["launch"]["argv"] for asked in house.master.asked("launch"))
    assert {"--r-run-rprofile=0", "--r-restore-workspace=0"} <= set(safe)
    assert {"--r-run-rprofile=1", "--r-restore-workspace=1"} <= set(full)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"r_version": "9.9.9"}, 10, "R 9.9.9 is not installed"),
        ({"project": "relative/folder"}, 10, "must begin with /"),
        ({"label": "a\nb"}, 10, "control"),
        ({"label": "x" * 101}, 10, "longer"),
        ({"label": 5}, 6, "acceptable"),
        ([], 6, "acceptable"),
    ],
)
def test_wishes_that_cannot_be_met(house: House, body: Any, code: int, words: str) -> None:
    status, answer = house.browse("alice").json("POST", "/api/sessions", body)
    assert (status, answer["error"]["code"]) == (400, code)
    assert words in answer["error"]["message"]
    assert not house.master.asked("launch")
    assert house.worker.control.table.of_user(ALICE.user, ALICE.uid) == []


def test_labels(house: House) -> None:
    browser = house.browse("alice")
    session = new(browser)
    path = f"/api/sessions/{session.id}"
    assert browser.json("PATCH", path, {"label": " Thesis 📊 "})[1]["label"] == "Thesis 📊"
    assert browser.json("GET", path)[1]["title"] == "Thesis 📊"
    assert browser.json("PATCH", path, {"label": "\x07"})[0] == 400
    assert browser.json("PATCH", path, {})[0] == 400
    assert browser.json("PATCH", path, {"label": ""})[1]["title"] == f"R session {session.id[-8:-4]}"
    assert house.browse("bob").json("PATCH", path, {"label": "mine"})[0] == 404


@pytest.mark.parametrize(("body", "signal"), [(None, "USR1"), ({"force": True}, "USR2")])
def test_suspending_and_resuming(house: House, body: Any, signal: str) -> None:
    browser = house.browse("alice")
    session = running(browser)
    path = f"/api/sessions/{session.id}"
    status, shown = browser.json("POST", f"{path}/suspend", body)
    assert (status, shown["state"]) == (202, "suspending")
    assert house.master.asked("signal")[-1]["signal"] == signal
    house.exit(session, code=101)
    assert browser.json("GET", path)[1]["state"] == "suspended"
    status, shown = browser.json("POST", f"{path}/resume")
    assert (status, shown["state"]) == (202, "resuming")


def test_what_stands_against_suspending_is_shown(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    house.blockers = ["R is working.", "Connections are open: <file>."]
    status, shown = browser.json("POST", f"/api/sessions/{session.id}/suspend")
    assert (status, shown["state"]) == (202, "running")
    assert shown["cause"] == "The session was not suspended. R is working. Connections are open: <file>."
    assert "Connections are open: &lt;file&gt;" in page(browser)
    assert "Suspend anyway" in page(browser)


def test_a_request_brings_a_suspended_session_back_and_what_pages_send_by_themselves_does_not(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    house.exit(session, code=101)
    gate = house.worker.gate
    for method in ("get_events", "save_view", "set_plot_size", "get_memory_use"):
        gate.session_target(ALICE, session.id, browser.head("POST", f"/s/{session.id}/rpc/{method}"))
    gate.session_target(ALICE, session.id, browser.head("GET", f"/s/{session.id}/events"))
    assert states_of(house) == {session.id: State.SUSPENDED}
    house.worker.control.want(session)
    assert states_of(house) == {session.id: State.RESUMING}


def test_killing_one_leaves_the_others(house: House) -> None:
    browser = house.browse("alice")
    one, other = running(browser, 100), running(browser, 101)
    assert browser.json("POST", f"/api/sessions/{one.id}/kill")[0] == 202
    house.exit(one, 100, signal=9)
    assert (one.state, other.state) == (State.ENDED, State.RUNNING)
    assert browser.json("POST", f"/api/sessions/{one.id}/resume")[1]["state"] == "launching"


def test_only_what_does_not_run_can_be_removed(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    answer = browser.request("DELETE", f"/api/sessions/{session.id}")
    assert answer.status == 409
    assert b"Quit it first" in answer.body
    house.exit(session, code=1)
    assert browser.request("DELETE", f"/api/sessions/{session.id}").status == 204
    assert listed(browser) == []


def test_who_is_connected_is_counted(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    house.front.listening = {session.id: 2}
    (item,) = listed(browser)
    assert item["connected"] == 2
    assert {"cpu_percent", "memory_bytes"} <= item.keys()


def test_options_read_again_count_at_once(house: House) -> None:
    browser = house.browse("alice")
    new(browser)
    house.worker.on_event({"event": "options", "options": {"session-limit": 1}, "cookie_keys": ["61" * 32]})
    assert browser.json("POST", "/api/sessions", {})[0] == 409


# The page


def page(browser: Browser) -> str:
    response = browser.get("/home")
    assert response.status == 200
    assert "script-src 'self';" in response.csp
    return response.body.decode()


def test_the_page_is_for_people_who_signed_in(house: House) -> None:
    assert location(house.browse().get("/home")) == "/auth-sign-in?appUri=/home"
    assert location(house.browse().request("POST", "/home")).startswith("/auth-sign-in")


def test_the_page_lists_sessions_with_state_and_cause(house: House) -> None:
    browser = house.browse("alice")
    assert "You have no session yet" in page(browser)
    session = running(browser, label="<b>Bold</b> & 'quoted'")
    house.exit(session, code=7)
    new(browser, label="second")
    text = page(browser)
    assert "<b>Bold" not in text
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &#x27;quoted&#x27;" in text
    assert "exit code 7" in text
    assert "second" in text
    assert page(house.browse("bob")).count("<li class") == 1


@pytest.mark.parametrize(
    ("do", "signal"), [("suspend", "USR1"), ("force-suspend", "USR2"), ("quit", "TERM"), ("kill", "KILL")]
)
def test_buttons_of_a_running_session(house: House, do: str, signal: str) -> None:
    browser = house.browse("alice")
    session = running(browser)
    response = browser.post("/home", session=session.id, do=do)
    assert (response.status, location(response)) == (303, "/home")
    assert [asked["signal"] for asked in house.master.asked("signal")] == [signal]


def test_quitting_asks_whether_to_save_where_the_user_wants_that(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    house.quit_answer = QuitAnswer(False, image="/home/alice/a&b/.RData")
    response = browser.post("/home", session=session.id, do="quit")
    text = response.body.decode()
    assert response.status == 200
    assert "/home/alice/a&amp;b/.RData" in text
    assert 'value="yes"' in text
    house.quit_answer = QuitAnswer(False, reason="The disk is full.")
    response = browser.post("/home", session=session.id, do="quit", save="yes")
    assert (response.status, "The disk is full." in response.body.decode()) == (409, True)
    house.quit_answer = QuitAnswer(True)
    assert browser.post("/home", session=session.id, do="quit", save="no").status == 303
    assert house.saves == ["default", "yes", "no"]
    assert browser.post("/home", session=session.id, do="quit", save="perhaps").status == 409


def test_programs_are_not_asked_and_may_say(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    house.quit_answer = QuitAnswer(False, image="/home/alice/.RData")
    assert browser.json("POST", f"/api/sessions/{session.id}/quit")[0] == 202
    assert browser.json("POST", f"/api/sessions/{session.id}/quit", {"save": "yes"})[0] == 202
    assert house.saves[:3] == ["default", "no", "yes"]


@pytest.mark.parametrize(("stored", "proposed"), [(None, "no-restore"), (1.7e9, "no-restore"), (0.0, "empty")])
def test_a_session_that_fails_again_and_again_is_proposed_to_start_in_another_way(
    house: House, stored: float | None, proposed: str
) -> None:
    browser = house.browse("alice")
    session = running(browser)
    for count in (1, 2):
        house.exit(session, code=1)
        session.stored = stored
        session.quick_failures = count
        text = browser.get(f"/s/{session.id}/").body.decode()
        assert browser.post("/home", session=session.id, do="resume", how="empty").status == 303
        house.run(session)
    assert "2 times in a row" in text
    buttons = ["retry", "no-restore", "no-profile", "empty"]
    assert min(buttons, key=lambda name: text.index(f'value="{name}"')) == proposed
    argv = house.master.asked("launch")[-1]["launch"]["argv"]
    assert {"--r-run-rprofile=0", "--r-restore-workspace=0"} <= set(argv)


def test_buttons_of_others(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser)
    assert browser.post("/home", session=session.id, do="rename", label="new name").status == 303
    assert "new name" in page(browser)
    house.exit(session, code=101)
    assert browser.post("/home", session=session.id, do="resume").status == 303
    assert states_of(house) == {session.id: State.RESUMING}
    house.run(session)
    house.exit(session, code=1)
    assert browser.post("/home", session=session.id, do="quit").status == 303
    assert states_of(house) == {session.id: State.ENDED}
    assert browser.post("/home", session=session.id, do="remove").status == 303
    assert listed(browser) == []


def test_the_form_for_a_new_session(house: House) -> None:
    browser = house.browse("alice")
    response = browser.post("/home", do="new", label="from the form", no_restore="1")
    (item,) = listed(browser)
    assert (response.status, location(response)) == (303, item["url"])
    assert item["label"] == "from the form"
    argv = house.master.asked("launch")[0]["launch"]["argv"]
    assert {"--r-run-rprofile=1", "--r-restore-workspace=0"} <= set(argv)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"do": "new", "rs-csrf-token": "x" * 32}, 400),
        ({"do": "kill", "session": "{bob}"}, 409),
        ({"do": "kill", "session": "f" * 21}, 409),
        ({"do": "explode", "session": "{alice}"}, 409),
        ({"do": "rename", "session": "{alice}", "label": "a\x00b"}, 409),
        ({}, 409),
    ],
)
def test_forms_that_do_nothing_say_so(house: House, fields: dict[str, str], status: int) -> None:
    browser, mine, other = house.browse("alice"), house.session_of(ALICE), house.session_of(BOB)
    filled = {name: value.format(alice=mine.id, bob=other.id) for name, value in fields.items()}
    response = browser.post("/home", **filled)
    assert response.status == status
    assert 'role="alert"' in response.body.decode()
    assert not house.master.asked("signal")


def test_a_full_list_offers_no_new_session(tmp_path: Path) -> None:
    house = House(tmp_path, {"session-limit": 1})
    browser = house.browse("alice")
    assert 'value="new"' in page(browser)
    new(browser)
    assert 'value="new"' not in page(browser)
    assert "1 of 1" in page(browser)
    assert browser.post("/home", do="new").status == 409


def test_addresses_of_no_session_lead_home(house: House) -> None:
    browser = house.browse("alice")
    paths = [f"/s/{house.session_of(BOB).id}/", f"/s/{'f' * 21}/"]
    pages = {browser.get(path).body for path in paths}
    assert len(pages) == 1
    assert b'href="/home"' in pages.pop()
    assert house.worker.pages.error(browser.head("GET", "/s/xyz/"), 404, "").body == browser.get(paths[0]).body

import json
from pathlib import Path

import pytest

from rserver.sessions.machine import State
from tests.rserver.web.house import ALICE, BOB, House, location


def test_the_front_page_leads_to_sign_in_or_to_the_one_session(house: House) -> None:
    assert location(house.browse().get("/")) == "/auth-sign-in?appUri=/"
    browser = house.browse("alice")
    first = location(browser.get("/"))
    assert first == f"/s/{house.session_of().id}/"
    assert location(house.browse("bob").get("/")) != first


def test_the_session_stays_the_same_after_a_restart(tmp_path: Path) -> None:
    first = location(House(tmp_path).browse("alice").get("/"))
    assert location(House(tmp_path).browse("alice").get("/")) == first


def test_the_page_of_a_session_starts_it_and_does_not_wait(house: House) -> None:
    browser = house.browse("alice")
    response = browser.get(location(browser.get("/")))
    assert response.status == 200
    nonce = response.body.decode().split("nonce='")[1].split("'")[0]
    assert f"'nonce-{nonce}'" in response.csp
    assert "unsafe" not in response.csp
    assert house.session_of().state is State.LAUNCHING
    assert len(house.master.asked("launch")) == 1
    again = browser.get(location(browser.get("/")))
    assert nonce not in again.body.decode()
    assert len(house.master.asked("launch")) == 1


def test_the_launch_carries_options_and_environment(house: House) -> None:
    house.browse("alice").get(f"/s/{house.session_of().id}/")
    (request,) = house.master.asked("launch")
    launch, session = request["launch"], house.session_of().id
    assert launch["user"] == "alice"
    assert launch["session"] == session
    assert {f"--session-id={session}", "--r-run-rprofile=1", "--r-restore-workspace=1"} <= set(launch["argv"])
    assert launch["env"]["RS_SESSION_URL"] == f"/s/{session}/"
    assert launch["env"]["RS_SERVER_URL"] == "http://r.example:8787/"
    assert launch["env"]["RSTUDIO"] == "1"
    assert launch["env"]["RSTUDIO_USER_IDENTITY"] == "alice"


def test_a_hostile_host_reaches_no_session(house: House) -> None:
    browser = house.browse("alice", host='evil"; rm -rf /')
    browser.get(f"/s/{house.session_of().id}/")
    assert house.master.asked("launch")[0]["launch"]["env"]["RS_SERVER_URL"] == "/"


@pytest.mark.parametrize("rest", ["", "restart"])
def test_other_peoples_sessions_are_unknown(house: House, rest: str) -> None:
    bob, session = house.browse("bob"), house.session_of(ALICE)
    answers = {bob.get(f"/s/{session_id}/{rest}") for session_id in (session.id, "f" * 21)}
    assert len(answers) == 1
    assert answers.pop().status == 404


def test_a_failed_session_shows_cause_tail_and_choices(house: House) -> None:
    browser, session = house.browse("alice"), house.session_of()
    browser.get(f"/s/{session.id}/")
    house.master.answer("launch", {"session": {}})
    response = browser.get(f"/s/{session.id}/")
    assert response.status == 503
    page = response.body.decode()
    assert "could not be started" in page
    for how in ("retry", "no-profile", "no-restore"):
        assert how in page
    assert browser.token in page


def test_the_tail_cannot_break_the_page(house: House) -> None:
    browser, session = house.browse("alice"), house.session_of()
    browser.get(f"/s/{session.id}/")
    house.run(session)
    house.exit(session, code=1, stderr_tail="</pre><script>alert(1)</script> $cause ${x} \x00")
    page = browser.get(f"/s/{session.id}/").body.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("how", "argument"),
    [("retry", "--r-run-rprofile=1"), ("no-profile", "--r-run-rprofile=0"), ("no-restore", "--r-restore-workspace=0")],
)
def test_starting_again(house: House, how: str, argument: str) -> None:
    browser, session = house.browse("alice"), house.session_of()
    browser.get(f"/s/{session.id}/")
    house.run(session)
    house.exit(session, code=1)
    browser.get(f"/s/{session.id}/")
    assert len(house.master.asked("launch")) == 1
    response = browser.post(f"/s/{session.id}/restart", how=how)
    assert (response.status, location(response)) == (303, f"/s/{session.id}/")
    assert argument in house.master.asked("launch")[-1]["launch"]["argv"]


@pytest.mark.parametrize("fields", [{"how": "otherwise"}, {}, {"how": "retry", "rs-csrf-token": "x" * 32}])
def test_forms_that_are_not_ours_start_nothing(house: House, fields: dict[str, str]) -> None:
    browser, session = house.browse("alice"), house.session_of()
    browser.get(f"/s/{session.id}/")
    house.run(session)
    house.exit(session, code=1)
    assert browser.post(f"/s/{session.id}/restart", **fields).status == 400
    assert session.state is State.FAILED


def test_after_q_its_page_says_so_and_the_front_page_starts_it_again(house: House) -> None:
    browser, session = house.browse("alice"), house.session_of()
    browser.get(f"/s/{session.id}/")
    house.run(session)
    house.worker.gate.first_byte(session.id)
    house.exit(session, code=0)
    page = browser.get(f"/s/{session.id}/")
    assert page.status == 200
    assert "R was quit" in page.body.decode()
    assert location(browser.get("/")) == f"/s/{session.id}/"
    assert session.state is State.LAUNCHING


def test_a_missing_bundle_is_explained(house: House) -> None:
    (house.directory / "ide" / "index.html").unlink()
    response = house.browse("alice").get(f"/s/{house.session_of().id}/")
    assert response.status == 500
    assert "make setup" in response.body.decode()


def test_pages_everybody_may_see(house: House) -> None:
    browser = house.browse()
    assert browser.get("/health-check").body == b"ok"
    assert location(browser.get("/favicon.ico")) == "/static/favicon.svg"
    assert browser.get("/nowhere").status == 404
    assert browser.request("POST", "/").status == 405
    assert browser.request("HEAD", "/health-check").status == 200


def test_rest_of_sessions(house: House) -> None:
    browser = house.browse("alice")
    status, made = browser.json("POST", "/api/sessions")
    session = house.session_of()
    assert (status, made) == (201, {"id": session.id, "url": f"/s/{session.id}/"})
    status, listed = browser.json("GET", "/api/sessions")
    assert [(item["id"], item["state"]) for item in listed["sessions"]] == [(session.id, "launching")]
    house.run(session)
    status, shown = browser.json("GET", f"/api/sessions/{session.id}")
    assert (status, shown["state"], shown["cause"]) == (200, "running", None)
    house.exit(session, code=3)
    status, shown = browser.json("POST", f"/api/sessions/{session.id}/resume", {"run_rprofile": False})
    assert (status, shown["state"]) == (202, "launching")
    assert "--r-run-rprofile=0" in house.master.asked("launch")[-1]["launch"]["argv"]
    assert "--r-restore-workspace=1" in house.master.asked("launch")[-1]["launch"]["argv"]


@pytest.mark.parametrize(("action", "signal"), [("quit", "TERM"), ("kill", "KILL")])
def test_signals(house: House, action: str, signal: str) -> None:
    house.master.answers["signal"] = lambda _: {"ok": True}
    browser, session = house.browse("alice"), house.session_of()
    house.worker.control.want(session)
    house.run(session)
    assert browser.json("POST", f"/api/sessions/{session.id}/{action}")[0] == 202
    assert house.master.asked("signal") == [{"op": "signal", "session": session.id, "signal": signal}]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/sessions/{bob}", 404, 14),
        ("POST", "/api/sessions/{bob}/kill", 404, 14),
        ("GET", "/api/sessions/" + "f" * 21, 404, 14),
        ("GET", "/api/sessions/../../etc", 404, 14),
        ("PUT", "/api/sessions", 405, 6),
        ("GET", "/api/sessions/{alice}/kill", 405, 6),
        ("POST", "/api/sessions/{alice}/explode", 404, 6),
    ],
)
def test_what_the_rest_refuses(house: House, method: str, path: str, status: int, code: int) -> None:
    browser = house.browse("alice")
    filled = path.format(alice=house.session_of(ALICE).id, bob=house.session_of(BOB).id)
    found, body = browser.json(method, filled)
    assert (found, body["error"]["code"]) == (status, code)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"restore": "yes"}', b"\xff"])
def test_bodies_that_are_none(house: House, body: bytes) -> None:
    browser, session = house.browse("alice"), house.session_of()
    response = browser.request("POST", f"/api/sessions/{session.id}/resume", body)
    assert response.status == 400
    assert "acceptable" in json.loads(response.body)["error"]["message"]


def test_the_rest_is_for_people_who_signed_in(house: House) -> None:
    status, body = house.browse().json("GET", "/api/sessions")
    assert (status, body["error"]["code"]) == (401, 3)


def test_under_a_root_path_every_address_has_it(tmp_path: Path) -> None:
    house = House(tmp_path, {"www-root-path": "/r"})
    browser = house.browse("alice")
    assert any("Path=/r/" in cookie for cookie in browser.set_cookies)

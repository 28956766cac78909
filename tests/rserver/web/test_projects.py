"""Sessions in projects: addresses, the list of recent ones, what is told when a project cannot be opened."""

from pathlib import Path
from typing import Any

import pytest

from rserver.sessions.machine import State
from rserver.sessions.quit_call import QuitAnswer
from rserver_core.session_id import NO_PROJECT
from tests.rserver.web.house import Browser, House, location, new, running


def listed(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.json("GET", "/api/projects")[1]["projects"]
    return found


def argv_of(house: House) -> list[str]:
    argv: list[str] = house.master.asked("launch")[-1]["launch"]["argv"]
    return argv


def test_the_address_and_the_process_know_the_project(house: House) -> None:
    browser = house.browse("alice")
    first = running(browser, 100, project="~/thesis")
    second = running(browser, 101, project="/home/alice/thesis/thesis.Rproj")
    other = running(browser, 102, project="/srv/<b>")
    assert first.project_id == second.project_id
    assert len({first.project_id, other.project_id, NO_PROJECT}) == 3
    house.worker.control.want(first)
    assert first.project == "/home/alice/thesis"
    assert "--project=/srv/<b>" in argv_of(house)
    assert "--create-project=0" in argv_of(house)
    shown = browser.json("GET", f"/api/sessions/{first.id}")[1]
    assert (shown["project"], shown["project_name"], shown["title"]) == ("/home/alice/thesis", "thesis", "thesis")
    assert new(house.browse("bob"), project="/home/alice/thesis").project_id != first.project_id


def test_the_list_survives_a_restart(house: House, tmp_path: Path) -> None:
    browser = house.browse("alice")
    first = running(browser, 100, project="~/one")
    house.clock.advance(1)
    running(browser, 101, project="/two")
    new(browser, project="/never/came/up")
    house.clock.advance(1)
    again = House(tmp_path).browse("alice")
    assert [(each["name"], each["path"]) for each in listed(again)] == [("two", "/two"), ("one", "/home/alice/one")]
    again.house.clock.advance(5)
    assert running(again, project="~/one").project_id == first.project_id
    assert listed(house.browse("bob")) == []
    project_id = listed(again)[0]["id"]
    assert again.request("DELETE", f"/api/projects/{project_id}").status == 204
    assert again.request("DELETE", "/api/projects/00000000").status == 404
    assert again.request("DELETE", "/api/projects").status == 405
    assert [each["name"] for each in listed(again)] == ["two"]
    assert house.browse().json("GET", "/api/projects")[0] == 401


def test_links_to_a_folder_have_its_id(house: House, tmp_path: Path) -> None:
    browser = house.browse("alice")
    house.links = {"/home/alice/link": "/srv/p", "/home/alice/other": "/srv/p"}
    first = running(browser, 100, project="/srv/p")
    by_link = running(browser, 101, project="~/link")
    assert by_link.project == "/home/alice/link"
    assert [each["path"] for each in listed(browser)] == ["/srv/p"]
    again = running(browser, 102, project="~/link")
    assert again.project_id == first.project_id
    assert again.project == "/home/alice/link"
    assert new(browser, project="~/link", reuse=True) is again
    restarted = House(tmp_path).browse("alice")
    assert new(restarted, project="~/link").project_id == first.project_id


def test_a_link_that_leads_elsewhere_now_is_known_to_after_the_next_opening(house: House) -> None:
    browser = house.browse("alice")
    house.links = {"/home/alice/current": "/srv/one"}
    one = running(browser, 100, project="/srv/one")
    running(browser, 101, project="~/current")
    house.links = {"/home/alice/current": "/srv/two"}
    assert running(browser, 102, project="~/current", reuse=True) is not one
    two = running(browser, 103, project="/srv/two")
    assert two.project_id != one.project_id
    assert running(browser, 104, project="~/current").project_id == two.project_id


@pytest.mark.parametrize("path", ["relative", "/a\nb", "/" + "x" * 4000, "/a\0b"])
def test_paths_that_cannot_be(house: House, path: str) -> None:
    status, answer = house.browse("alice").json("POST", "/api/sessions", {"project": path})
    assert (status, answer["error"]["code"]) == (400, 10)
    assert "path of a project" in answer["error"]["message"]


def test_a_wish_for_the_session_that_is_there_already(house: House) -> None:
    browser = house.browse("alice")
    first = running(browser, 100, project="/p")
    assert new(browser, project="/p", reuse=True) is first
    assert new(browser, project="/p") is not first
    house.exit(first, 100, code=101)
    first.last_used += 100
    assert new(browser, project="/p", reuse=True) is first
    assert first.state is State.RESUMING


@pytest.mark.parametrize(
    ("code", "words"), [(201, "not a folder"), (202, "no project file"), (203, "is gone"), (204, "cannot be read")]
)
def test_why_a_project_could_not_be_opened(house: House, code: int, words: str) -> None:
    browser = house.browse("alice")
    session = running(browser, 100, project="/srv/<b>")
    house.exit(session, 100, code=code, stderr_tail="rsession: words")
    shown = browser.json("GET", f"/api/sessions/{session.id}")[1]
    assert (shown["state"], shown["code"]) == ("failed", code)
    assert words in shown["cause"]
    page = browser.get(f"/s/{session.id}/")
    assert page.status == 503
    assert b"/srv/&lt;b&gt;" in page.body
    assert (b"Make it a project" in page.body) == (code == 202)
    assert b"The project cannot be opened" in page.body
    assert b"Without .Rprofile" not in page.body
    (project,) = listed(browser)
    assert project["gone"] == (code == 203)
    assert words in project["problem"]
    home = browser.get("/home").body.decode()
    assert ("Gone" in home) == (code == 203)
    assert "/srv/&lt;b&gt;" in home
    assert "/srv/<b>" not in home


def test_a_folder_is_made_a_project_from_the_failure_page(house: House) -> None:
    browser = house.browse("alice")
    session = running(browser, 100, project="/p")
    house.exit(session, 100, code=202)
    assert browser.post(f"/s/{session.id}/restart", how="create-project").status == 303
    assert "--create-project=1" in argv_of(house)
    house.run(session, 101)
    assert listed(browser)[0]["problem"] is None


def test_a_session_that_was_started_without_its_project_has_none_any_more(house: House, tmp_path: Path) -> None:
    browser = house.browse("alice")
    session = running(browser, 100, project="/p")
    house.exit(session, 100, code=101)
    browser.get(f"/s/{session.id}/")
    house.run(session, 101)
    house.exit(session, 101, code=203)
    failed = browser.json("GET", f"/api/sessions/{session.id}")[1]["cause"]
    assert failed.startswith("The project folder /p is gone. The objects of the session are kept")
    assert browser.post(f"/s/{session.id}/restart", how="without-project").status == 303
    house.run(session, 102)
    house.exit(session, 102, code=101)
    browser.get(f"/s/{session.id}/")
    assert not any(argument.startswith("--project") for argument in argv_of(house))
    house.clock.advance(1)
    again = House(tmp_path).browse("alice")
    shown = again.json("GET", f"/api/sessions/{session.id}")[1]
    assert (shown["project"], shown["project_id"], shown["project_name"]) == ("", NO_PROJECT, "")
    (project,) = listed(again)
    assert (project["path"], project["sessions"]) == ("/p", [])
    assert new(again, project="/p", reuse=True).id != session.id


def test_an_answered_session_that_ends_with_such_a_code_says_nothing_of_projects(house: House) -> None:
    session = running(house.browse("alice"), 100, project="/p")
    house.worker.gate.first_byte(session.id)
    house.exit(session, 100, code=203)
    assert session.status.fate
    assert "exit code 203" in session.status.fate.cause
    assert "The R session failed" in house.browse("alice").get(f"/s/{session.id}/").body.decode()


def test_addresses_with_the_wrong_project(house: House) -> None:
    browser = house.browse("alice")
    session, plain = running(browser, 100, project="/p/<i>"), running(browser, 101)
    wrong = f"/s/{session.id[:5]}{NO_PROJECT}{session.id[13:]}/"
    page = browser.get(wrong)
    assert page.status == 404
    assert b"Wrong project" in page.body
    assert f'href="/s/{session.id}/"'.encode() in page.body
    unknown_session = browser.get(f"/s/{session.id[:13]}00000000/")
    assert unknown_session.status == 404
    assert b"no such session of the project &lt;i&gt; (/p/&lt;i&gt;)" in unknown_session.body
    assert b"No such project" in browser.get(f"/s/{plain.id[:5]}1234567800000000/").body
    bob = house.browse("bob")
    assert bob.get(wrong).body == bob.get(f"/s/{session.id}/").body == bob.get(f"/s/{'f' * 21}/").body


def test_the_forms_of_the_home_page(house: House) -> None:
    browser = house.browse("alice")
    assert "Recent projects" not in browser.get("/home").body.decode()
    made = browser.post("/home", do="new", project="other", project_path="~/a", create_project="1", no_profile="1")
    assert made.status == 303
    assert {"--project=/home/alice/a", "--create-project=1", "--r-run-rprofile=0"} <= set(argv_of(house))
    assert browser.post("/home", do="new", project="other", project_path=" ").status == 409
    session = house.worker.control.table.get(location(made).split("/")[2])
    assert session
    house.run(session)
    project_id = listed(browser)[0]["id"]
    assert location(browser.post("/home", **{"open-project": project_id})) == location(made)
    assert location(browser.post("/home", **{"new-in-project": project_id})) != location(made)
    assert browser.post("/home", **{"open-project": "00000000"}).status == 409
    assert browser.post("/home", **{"forget-project": project_id}).status == 303
    assert listed(browser) == []


def test_one_session_takes_the_place_of_another(house: House) -> None:
    browser = house.browse("alice")
    old = running(browser, 100)
    house.blockers = ["R is busy."]
    status, refused = browser.json("POST", "/api/sessions", {"project": "/p", "leave": {"session": old.id}})
    assert (status, refused["error"]["code"]) == (409, 22)
    assert "R is busy." in refused["error"]["message"]
    assert old.state is State.RUNNING
    house.blockers = None
    house.clock.callLater(130, house.exit, old, 100, code=101)
    house.clock.callLater(5, house.exit, old, 100, code=101)
    taken = new(browser, project="/p", leave={"session": old.id})
    assert (old.state, taken.state) == (State.SUSPENDED, State.LAUNCHING)


def test_a_session_that_wants_to_be_asked_is_not_quit_behind_its_users_back(house: House) -> None:
    browser = house.browse("alice")
    old = running(browser, 100)
    house.quit_answer = QuitAnswer(False, "/home/alice/.RData")
    leave = {"session": old.id, "quit": True}
    status, refused = browser.json("POST", "/api/sessions", {"project": "/p", "leave": leave})
    assert (status, refused["error"]["code"]) == (409, 22)
    assert "/home/alice/.RData" in refused["error"]["message"]
    house.quit_answer = QuitAnswer(True)
    house.clock.callLater(1, house.exit, old, 100, code=0)
    new(browser, project="/p", leave={**leave, "save": "yes"})
    assert house.saves == ["default", "yes"]


def test_switching_counts_as_one_session_when_the_old_one_is_quit(tmp_path: Path) -> None:
    house = House(tmp_path, {"session-limit": 1})
    house.master.answers["signal"] = lambda _: {"ok": True}
    browser = house.browse("alice")
    old = running(browser, 100)
    leave = {"session": old.id, "quit": False}
    assert browser.json("POST", "/api/sessions", {"project": "/p", "leave": leave})[1]["error"]["code"] == 20
    assert old.state is State.RUNNING
    house.clock.callLater(1, house.exit, old, 100, signal=15)
    taken = new(browser, project="/p", leave={"session": old.id, "quit": True})
    assert (old.state, taken.state) == (State.ENDED, State.LAUNCHING)


def test_where_a_user_has_one_session_another_project_suspends_it(tmp_path: Path) -> None:
    house = House(tmp_path, {"server-multiple-sessions": False})
    house.master.answers["signal"] = lambda _: {"ok": True}
    browser = house.browse("alice")
    plain = running(browser, 100)
    house.clock.callLater(1, house.exit, plain, 100, code=101)
    there = running(browser, 101, project="/p")
    assert (plain.state, there.state) == (State.SUSPENDED, State.RUNNING)
    assert new(browser, project="/p") is there
    assert new(browser) is there
    assert location(browser.get("/")) == f"/s/{there.id}/"
    house.clock.callLater(1, house.exit, there, 101, code=101)
    assert new(browser, project="") is plain
    assert (plain.state, there.state) == (State.RESUMING, State.SUSPENDED)
    assert len(house.worker.control.table.of_user("alice", 1001)) == 2

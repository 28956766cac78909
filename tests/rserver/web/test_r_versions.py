"""R versions in front of a user: list, choice, own default, what a session tells. Versions are folders that look so."""

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rserver.sessions.probe import NoAnswer
from rserver.sessions.r_report import RReport, read_report
from rserver.sessions.session import Session
from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import Profiles, Section
from tests.rserver.web.house import Browser, House, new
from tests.rserver_core.test_r_installation import make_r

STALE_SECONDS = 5.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Homes of three versions, and r-versions with them; without a label the newest is the default."""
    for version in ("4.9.1", "3.9.2", "3.9.1"):
        make_r(tmp_path / version, version)
    records = f"{tmp_path}/4.9.1\n\nPath: {tmp_path}/3.9.2\nLabel: Old <one>\n\n{tmp_path}/3.9.1\n"
    (tmp_path / "r-versions").write_text(records)
    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def house(folder: Path) -> House:
    return make_house(folder)


def make_house(folder: Path, **options: Any) -> House:
    (folder / "house").mkdir(exist_ok=True)
    return House(folder / "house", {"r-versions-scan": False, **options})


def page(browser: Browser) -> str:
    return browser.get("/home").body.decode()


def launched(house: House) -> dict[str, str]:
    """The environment of the last launch."""
    environment: dict[str, str] = house.master.asked("launch")[-1]["launch"]["env"]
    return environment


def again(house: House, session: Session) -> str:
    """Suspend it and start it again; the home of its R."""
    house.exit(session, session.status.record.pid if session.status.record else 0, code=101)
    house.clock.advance(STALE_SECONDS)
    house.worker.control.want(session)
    return launched(house)["R_HOME"]


def test_the_list_and_the_forms(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    status, found = browser.json("GET", "/api/r-versions")
    assert status == 200
    assert [item["title"] for item in found["versions"]] == ["R 4.9.1", "R 3.9.2 (Old <one>)", "R 3.9.1"]
    assert (found["default"], found["own_default"]) == (f"4.9.1|{folder}/4.9.1", None)
    assert f'<option value="{folder}' not in page(browser)
    assert f'<option value="3.9.2|{folder}/3.9.2|Old &lt;one&gt;">R 3.9.2 (Old &lt;one&gt;)</option>' in page(browser)
    assert "Default: R 4.9.1" in page(browser)


def test_a_chosen_version_stays_until_it_is_gone(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    session = new(browser, r_version="3.9.2")
    house.run(session, 100)
    assert (session.r_version, launched(house)["R_HOME"]) == ("3.9.2", f"{folder}/3.9.2")
    assert launched(house)["RSTUDIO_R_VERSION_LABEL"] == "Old <one>"
    assert again(house, session) == f"{folder}/3.9.2"
    house.run(session, 101)
    (folder / "3.9.2" / "lib" / "libR.so").unlink()
    assert again(house, session) == f"{folder}/3.9.1"
    note = "This session wants R 3.9.2 (Old <one>), which is not on this server; this session runs R 3.9.1 instead."
    assert (session.r_note, launched(house)["RS_R_NOTE"]) == (note, note)
    assert note.replace("<", "&lt;").replace(">", "&gt;") in page(browser)
    assert browser.json("GET", f"/api/sessions/{session.id}")[1]["r_note"] == note
    house.run(session, 102)
    make_r(folder / "3.9.2", "3.9.2")
    assert (again(house, session), session.r_note) == (f"{folder}/3.9.2", "")


def test_what_a_session_reports_is_shown_and_kept(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    session = new(browser)
    house.r_report = RReport("3.9.2", f"3.9.2|{folder}/3.9.2|Old <one>", "The project wants R 3.9.3.")
    house.run(session, 100)
    assert (session.r_version, session.r_note) == ("3.9.2", "The project wants R 3.9.3.")
    assert "3.9.2 (Old &lt;one&gt;)" in page(browser)
    house.worker.save()
    assert again(house, session) == f"{folder}/3.9.2"
    restarted = make_house(folder)
    assert restarted.browse("alice").json("GET", f"/api/sessions/{session.id}")[1]["r_key"] == session.r_key


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"result": {"version": "4"}}, {"result": {"version": 4, "key": "", "note": ""}}]
)
def test_a_report_that_is_none(answer: Any) -> None:
    with pytest.raises(NoAnswer):
        read_report(answer)


def test_a_report_is_bounded() -> None:
    said = read_report({"result": {"version": "4" * 100, "key": "k" * 1000, "note": "n" * 5000}})
    assert (len(said.version), said.key, len(said.note)) == (40, "", 1000)


def test_another_version_from_the_next_start_on(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    session = new(browser)
    house.r_report = RReport("4.9.1", f"4.9.1|{folder}/4.9.1", "")
    house.run(session, 100)
    status, shown = browser.json("PATCH", f"/api/sessions/{session.id}", {"r_version": "3.9.1"})
    assert (status, shown["r_version"], shown["r_wish"]) == (200, "4.9.1", f"3.9.1|{folder}/3.9.1")
    assert "4.9.1; from the next start 3.9.1" in page(browser)
    assert again(house, session) == f"{folder}/3.9.1"
    assert browser.post("/home", do="r-version", session=session.id, r_version="").status == 303
    assert session.r_wish == session.r_key == ""
    status, refused = browser.json("PATCH", f"/api/sessions/{session.id}", {"r_version": "3.9.9"})
    assert (status, refused["error"]["code"]) == (400, 10)
    assert "R 3.9.9 is not installed here" in refused["error"]["message"]
    assert browser.json("PATCH", f"/api/sessions/{session.id}", {})[0] == 400


def test_ones_own_default_survives_a_restart(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    status, found = browser.json("PUT", "/api/r-versions/default", {"r_version": "3.9.1"})
    assert (status, found["own_default"]) == (200, f"3.9.1|{folder}/3.9.1")
    restarted = make_house(folder)
    alice, bob = restarted.browse("alice"), restarted.browse("bob")
    assert alice.json("GET", "/api/r-versions")[1]["default"] == f"3.9.1|{folder}/3.9.1"
    assert bob.json("GET", "/api/r-versions")[1]["default"] == f"4.9.1|{folder}/4.9.1"
    new(alice)
    assert launched(restarted)["R_HOME"] == f"{folder}/3.9.1"
    assert alice.post("/home", do="r-default", r_version=f"3.9.2|{folder}/3.9.2|Old <one>").status == 303
    assert alice.json("GET", "/api/r-versions")[1]["own_default"] == f"3.9.2|{folder}/3.9.2|Old <one>"
    assert alice.json("PUT", "/api/r-versions/default", {"r_version": None})[1]["own_default"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/api/r-versions/default", {"r_version": "9.9.9"}, 400),
        ("PUT", "/api/r-versions/default", {"r_version": 4}, 400),
        ("PUT", "/api/r-versions/default", {}, 400),
        ("GET", "/api/r-versions/default", None, 405),
        ("POST", "/api/r-versions", {}, 405),
        ("GET", "/api/r-versions/x", None, 404),
    ],
)
def test_requests_that_are_refused(house: House, method: str, path: str, body: Any, status: int) -> None:
    assert house.browse("alice").json(method, path, body)[0] == status
    assert house.browse().json(method, path, body)[1]["error"]["code"] == 3


def test_a_profile_gives_the_version_unless_its_user_chose_one(house: House, folder: Path) -> None:
    house.worker.profiles.profiles = Profiles((Section("alice", Profile(r_version="Old <one>")),))
    browser = house.browse("alice")
    new(browser)
    assert launched(house)["R_HOME"] == f"{folder}/3.9.2"
    browser.json("PUT", "/api/r-versions/default", {"r_version": "3.9.1"})
    new(browser)
    assert launched(house)["R_HOME"] == f"{folder}/3.9.1"
    new(house.browse("bob"))
    assert launched(house)["R_HOME"] == f"{folder}/4.9.1"


def test_a_profile_may_leave_no_choice(house: House, folder: Path) -> None:
    profile = Profile(r_version=f"{folder}/3.9.1", r_versions_multiple=False)
    browser = house.browse("alice")
    kept = new(browser, r_version="3.9.2")
    house.run(kept, 100)
    house.worker.profiles.profiles = Profiles((Section("alice", profile),))
    status, refused = browser.json("POST", "/api/sessions", {"r_version": "3.9.2"})
    assert (status, refused["error"]["code"]) == (400, 10)
    assert len(browser.json("GET", "/api/r-versions")[1]["versions"]) == 1
    assert again(house, kept) == f"{folder}/3.9.1"


def test_the_option_leaves_no_choice_but_a_profile_may(folder: Path) -> None:
    house = make_house(folder, **{"r-versions-multiple": False})
    browser = house.browse("alice")
    assert len(browser.json("GET", "/api/r-versions")[1]["versions"]) == 1
    assert 'name="r_version"' not in page(browser)
    house.worker.profiles.profiles = Profiles((Section("*", Profile(r_versions_multiple=True)),))
    assert len(browser.json("GET", "/api/r-versions")[1]["versions"]) == 3


def test_a_project_may_choose_until_the_session_ran(house: House, folder: Path) -> None:
    session = new(house.browse("alice"))
    assert "RS_R_VERSIONS" not in launched(house)
    session.project = "/home/alice/p"
    listed = json.loads(variables_of(house, session)["RS_R_VERSIONS"])
    assert [(item["version"], item.get("label")) for item in listed] == [
        ("4.9.1", None),
        ("3.9.2", "Old <one>"),
        ("3.9.1", None),
    ]
    session.r_key = f"4.9.1|{folder}/4.9.1"
    assert "RS_R_VERSIONS" not in variables_of(house, session)


def variables_of(house: House, session: Session) -> dict[str, str]:
    chooser = house.worker.actions.chooser
    variables: dict[str, str] = house.result(Deferred.fromCoroutine(chooser.choose(session))).variables()
    return variables


def test_the_administrator_changes_the_list(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    assert len(browser.json("GET", "/api/r-versions")[1]["versions"]) == 3
    (folder / "r-versions").write_text(f"{folder}/3.9.1\n")
    house.clock.advance(STALE_SECONDS)
    assert [item["version"] for item in browser.json("GET", "/api/r-versions")[1]["versions"]] == ["3.9.1"]
    (folder / "r-versions").write_text("Path: nonsense\n")
    house.clock.advance(STALE_SECONDS)
    assert [item["version"] for item in browser.json("GET", "/api/r-versions")[1]["versions"]] == ["3.9.1"]
    cached = json.loads((folder / "house" / "db" / "r-versions").read_text())
    assert [item["version"] for item in cached["versions"]] == ["3.9.1"]
    restarted = make_house(folder)
    assert len(restarted.browse("alice").json("GET", "/api/r-versions")[1]["versions"]) == 1


def test_options_count_after_a_reload(house: House, folder: Path) -> None:
    browser = house.browse("alice")
    new(browser)
    assert launched(house)["LD_LIBRARY_PATH"] == f"{folder}/4.9.1/lib"
    options = {"server-lib-dir": str(folder / "house"), "r-versions-scan": False, "r-versions-multiple": False}
    more = {"rsession-ld-library-path": "/opt/a:/opt/b", "modules-bin-path": "/m.sh"}
    house.worker.on_event({"event": "options", "options": options | more, "cookie_keys": ["61" * 32]})
    new(browser)
    assert launched(house)["LD_LIBRARY_PATH"] == f"{folder}/4.9.1/lib:/opt/a:/opt/b"
    assert launched(house)["RS_MODULES_BIN_PATH"] == "/m.sh"
    assert len(browser.json("GET", "/api/r-versions")[1]["versions"]) == 1


def test_without_any_r_the_page_still_works(folder: Path) -> None:
    house = make_house(folder, **{"rsession-which-r": "/bin/true"})
    (folder / "r-versions").unlink()
    browser = house.browse("alice")
    status, answer = browser.json("GET", "/api/r-versions")
    assert (status, answer["error"]["code"]) == (503, 2)
    assert "no start script of R" in answer["error"]["message"]
    session = new(browser)
    assert "No R was found" in str(session.status.fate)
    assert "No R was found" in page(browser)

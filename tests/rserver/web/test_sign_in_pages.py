import json
from pathlib import Path
from typing import Any

import pytest

from rserver.sign_in.audit import FILE_NAME
from tests.rserver.web.house import PASSWORD, House, location

DEEP = "/s/0123456789abcdef01234/?x=1"


def test_the_page_has_a_form_with_the_token_of_its_cookie(house: House) -> None:
    browser = house.browse()
    page = browser.get(f"/auth-sign-in?appUri={DEEP}").body.decode()
    assert 'name="username"' in page
    assert 'name="password"' in page
    assert 'name="staySignedIn"' in page
    assert browser.token in page
    assert DEEP in page


def test_what_visitors_send_is_escaped(house: House) -> None:
    browser = house.browse()
    page = browser.get('/auth-sign-in?appUri=/"><script>alert(1)</script>&error=<b>').body.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_signing_in_leads_to_the_wanted_page(house: House) -> None:
    browser = house.browse()
    response = browser.sign_in("alice", appUri=DEEP)
    assert (response.status, location(response)) == (302, DEEP)
    assert browser.user() == "alice"
    cookie = next(cookie for cookie in browser.set_cookies if cookie.startswith("user-id="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age" not in cookie


def test_staying_signed_in(house: House) -> None:
    browser = house.browse()
    browser.sign_in("alice", staySignedIn="1")
    assert any("Max-Age=2592000" in cookie for cookie in browser.set_cookies)


def test_the_token_changes_with_the_sign_in(house: House) -> None:
    browser = house.browse()
    browser.get("/auth-sign-in")
    before = browser.token
    browser.get("/auth-sign-in")
    assert browser.token == before
    browser.sign_in("alice")
    assert browser.token != before


def test_a_refusal_keeps_the_wanted_page_and_says_one_thing(house: House) -> None:
    locations = set()
    for user, password in (("alice", "wrong"), ("nobody", "x"), ("root", PASSWORD), ("-\x00", "x"), ("alice", "")):
        browser = house.browse(address=f"192.0.2.{len(user)}")
        response = browser.sign_in(user, password, appUri=DEEP)
        locations.add(location(response))
        assert browser.user() is None
    assert locations == {"/auth-sign-in?error=1&appUri=/s/0123456789abcdef01234/%3Fx%3D1"}
    assert "not right" in browser.get(locations.pop()).body.decode()


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "/%2fevil.example"])
def test_nobody_is_led_elsewhere(house: House, wanted: str) -> None:
    browser = house.browse()
    assert location(browser.sign_in("alice", appUri=wanted)) == "/"
    assert location(browser.sign_in("alice", "wrong", appUri=wanted)).endswith("appUri=/")
    assert "evil" not in house.browse().get(f"/auth-sign-in?appUri={wanted}").body.decode()


def test_without_the_token_no_password_is_asked(house: House) -> None:
    browser = house.browse()
    browser.get("/auth-sign-in")
    response = browser.post(
        "/auth-do-sign-in", **{"rs-csrf-token": "x" * 32, "username": "alice", "password": PASSWORD, "appUri": DEEP}
    )
    assert location(response).startswith("/auth-sign-in?error=2&why=cookie&appUri=/s/")
    assert "cookie" in browser.get(location(response)).body.decode()
    assert not house.master.asked("check_password")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%ff", b"&".join([b"a=1"] * 1000), b""])
def test_forms_that_are_none(house: House, body: bytes) -> None:
    browser = house.browse()
    browser.get("/auth-sign-in")
    response = browser.request("POST", "/auth-do-sign-in", body)
    assert location(response).startswith("/auth-sign-in?error=2")


def test_who_is_signed_in_needs_no_page(house: House) -> None:
    assert location(house.browse("alice").get(f"/auth-sign-in?appUri={DEEP}")) == DEEP


@pytest.mark.parametrize("by", ["form", "header"])
def test_signing_out_kills_copies_and_websockets(house: House, by: str) -> None:
    browser = house.browse("alice")
    copy, other = house.browse(), house.browse("bob")
    copy.jar = dict(browser.jar)
    assert copy.user() == "alice"
    if by == "form":
        response = browser.post("/auth-sign-out")
    else:
        response = browser.request("POST", "/auth-sign-out", b"{}", {"x-rs-csrf-token": browser.token})
    assert (response.status, location(response)) == (302, "/auth-sign-in")
    assert "user-id" not in browser.jar
    assert copy.user() is None
    assert house.front.users == ["alice"]
    assert other.user() == "bob"


def test_a_revocation_survives_the_worker(tmp_path: Path) -> None:
    house = House(tmp_path)
    browser = house.browse("alice")
    copy = dict(browser.jar)
    house.time += 1
    browser.post("/auth-sign-out")
    after = House(tmp_path)
    thief = after.browse()
    thief.jar = copy
    assert thief.user() is None
    assert after.browse("alice").user() == "alice"


def test_signing_out_needs_the_token_and_a_post(house: House) -> None:
    browser = house.browse("alice")
    assert browser.request("POST", "/auth-sign-out", b"rs-csrf-token=" + b"x" * 32).status == 400
    assert browser.get("/auth-sign-out").status == 405
    assert browser.user() == "alice"


def test_the_audit_log_has_everything_but_passwords(house: House) -> None:
    browser = house.browse()
    browser.sign_in("alice", "tell-tale")
    browser.sign_in("nobody\n" + "x" * 500, "tell-tale")
    browser.sign_in("alice")
    browser.post("/auth-sign-out")
    text = (house.directory / FILE_NAME).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["sign_in_refused", "sign_in_refused", "sign_in", "sign_out"]
    assert {line["address"] for line in lines} == {"192.0.2.1"}
    assert "tell-tale" not in text
    assert PASSWORD not in text
    assert len(lines[1]["user"]) == 64


def test_the_administrators_text_lies_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(tmp_path))
    assert "<p>Ours</p>" not in House(tmp_path).browse().get("/auth-sign-in").body.decode()
    (tmp_path / "login.html").write_text("<p>Ours</p>")
    assert "<p>Ours</p>" in House(tmp_path).browse().get("/auth-sign-in").body.decode()


def test_the_administrators_text_is_shown(tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text("<p>Ask <b>us</b></p>")
    house = House(tmp_path, {"auth-login-page-html": str(tmp_path / "login.html")})
    assert "<p>Ask <b>us</b></p>" in house.browse().get("/auth-sign-in").body.decode()
    assert House(tmp_path, {"auth-login-page-html": "/nowhere"}).browse().get("/auth-sign-in").status == 200


def test_keys_and_policy_change_while_it_runs(house: House) -> None:
    browser = house.browse("alice")
    options = {"auth-minimum-user-id": 1002}
    house.worker.on_event({"event": "options", "options": options, "cookie_keys": ["62" * 32, "61" * 32]})
    assert browser.user() == "alice"
    assert location(house.browse().sign_in("alice")).startswith("/auth-sign-in?error=1")
    unusable: list[dict[str, Any]] = [
        {"cookie_keys": []},
        {"options": {"auth-timeout-minutes": "x"}, "cookie_keys": ["62" * 32]},
    ]
    for broken in unusable:
        house.worker.on_event({"event": "options", "options": {}, **broken})
        assert browser.user() == "alice"
    house.worker.on_event({"event": "options", "options": {}, "cookie_keys": ["62" * 32]})
    assert browser.user() is None

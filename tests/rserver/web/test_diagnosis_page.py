"""The page on which administrators have the server look at itself."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.rserver.web.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, {"admin-group": "stat,ops"})
    page = made.worker.pages.diagnosis
    assert page is not None
    page.seconds = 1
    return made


def test_only_members_see_it(house: House) -> None:
    assert house.browse("alice").request("GET", "/admin/diagnose").status == 200
    refused = house.browse("bob").request("GET", "/admin/diagnose")
    assert refused.status == 403
    assert b"admin-group" in refused.body
    assert house.browse("bob").request("POST", "/admin/diagnose", b"").status == 403
    assert dict(house.browse().request("GET", "/admin/diagnose").headers)["Location"].startswith("/auth-sign-in")


def test_without_the_option_nobody_does(tmp_path: Path) -> None:
    assert House(tmp_path).browse("alice").request("GET", "/admin/diagnose").status == 403


def test_a_form_without_token_or_address_is_refused(house: House) -> None:
    browser = house.browse("alice")
    assert browser.request("POST", "/admin/diagnose", b"rs-csrf-token=wrong").status == 400
    said = browser.post("/admin/diagnose")
    assert said.status == 400
    assert b"Referer" in said.body


def test_a_run_is_shown_when_it_is_done(house: House) -> None:
    browser = house.browse("alice")
    browser.headers["referer"] = "http://127.0.0.1:1/r/admin/diagnose?run=x"
    begun = browser.post("/admin/diagnose")
    assert begun.status == 303
    where = dict(begun.headers)["Location"]
    assert parse_qs(urlsplit(where).query)["run"]
    page = browser.request("GET", where).body.decode()
    assert "http://127.0.0.1:1/r/" in page
    assert "Nothing answers at this address" in page


def test_a_run_of_another_process_is_waited_for(house: House) -> None:
    browser = house.browse("alice")
    page = browser.request("GET", f"/admin/diagnose?run={int(house.time)}-0123456789abcdef").body.decode()
    assert 'http-equiv="refresh"' in page
    old = browser.request("GET", f"/admin/diagnose?run={int(house.time) - 200}-0123456789abcdef").body.decode()
    assert 'http-equiv="refresh"' not in old


@pytest.mark.parametrize("run", ["x", "1-<script>", "99999999999999999999999-a", "%00", "-"])
def test_runs_that_are_none(house: House, run: str) -> None:
    page = house.browse("alice").request("GET", f"/admin/diagnose?run={run}")
    assert page.status == 200
    assert b"<script>" not in page.body

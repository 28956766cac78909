"""Choosing among R versions with the mouse: for a new session, for one that is there, for all new ones."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from rserver_core.r_scan import find_installation
from tests.apt import SourceUnavailableError
from tests.browser.person import PATIENCE, Person
from tests.other_r import VERSION, other_r
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

OWN = find_installation("", "/usr/local/bin:/usr/bin").version


@pytest.fixture
def r_server() -> Iterator[RunningServer]:
    try:
        other = other_r()
    except SourceUnavailableError as error:
        pytest.skip(f"no second R: {error}")
    with running_server(files={"r-versions": f"Path: {other}\nLabel: Old one\n"}) as made:
        yield made


def test_choosing_an_r(chromium: Browser, r_server: RunningServer, alice: Account) -> None:
    with Person(chromium, r_server) as person:
        person.sign_in(alice)
        page = person.page
        expect(page.locator("header.top")).to_contain_text(f"R {OWN}")
        person.visit("/home")
        form = page.locator("details.new")
        page.get_by_text("New session", exact=True).click()
        form.get_by_label("Label").fill("Legacy")
        form.locator("select[name=r_version]").select_option(label=f"R {VERSION} (Old one)")
        page.get_by_role("button", name="Start the session").click()
        person.wait_for_prompt()
        expect(page.locator("header.top")).to_contain_text(f"R {VERSION} (Old one)")
        person.type_at_prompt("as.character(getRversion())")
        person.sees(f'[1] "{VERSION}"')

        person.visit("/home")
        row = page.locator("li.session", has=page.get_by_role("link", name="Legacy", exact=True))
        expect(row).to_contain_text(f"{VERSION} (Old one)")
        row.get_by_text("R version…").click()
        row.get_by_label("R version from the next start on").select_option(label=f"R {OWN}")
        row.get_by_role("button", name="Change").click()
        expect(row).to_contain_text(f"from the next start {OWN}")
        row.get_by_role("button", name="Suspend").click()
        expect(row.locator(".state")).to_have_text("Suspended", timeout=PATIENCE)
        row.get_by_role("link", name="Legacy", exact=True).click()
        person.wait_for_prompt()
        expect(page.locator("header.top")).to_contain_text(f"R {OWN}")

        person.visit("/home")
        page.get_by_text("R version of new sessions…").click()
        page.get_by_label("R version of new sessions").select_option(label=f"R {VERSION} (Old one)")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("New session", exact=True).click()
        expect(form.locator("select[name=r_version]").locator("option").first).to_have_text(
            f"Default: R {VERSION} (Old one)"
        )
        assert person.complaints == []

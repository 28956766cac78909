"""Where the page shows what is the case: never over what a person works with."""

import os
import signal
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.person import Person
from tests.browser.test_time_outs import elsewhere, notice, picture, suspend
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def bottom_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["y"] + box["height"]


@pytest.mark.parametrize("width", [1440, 700])
def test_notices_cover_nothing(chromium: Browser, server: RunningServer, alice: Account, width: int) -> None:
    with Person(chromium, server, width=width) as person:
        person.sign_in(alice)
        page = person.page
        page.get_by_test_id("new-document").click()
        expect(page.get_by_label("Text of Untitled1")).to_be_focused()
        person.type_at_prompt("cat('pid', Sys.getpid(), '\\n')")
        person.sees("pid ")
        suspend(elsewhere(server, alice))
        shown = notice(person, "suspended")
        expect(shown).to_be_visible()
        picture(person, f"notice-suspended-{width}")
        headers = page.locator(".workbench .pane-header")
        expect(headers).to_have_count(4)
        assert all(box["y"] >= bottom_of(shown) for box in map(Locator.bounding_box, headers.all()) if box)
        assert max(map(bottom_of, page.locator(".pane").all())) <= 900
        shown.get_by_role("button", name="Resume").click()
        person.wait_for_prompt()
        expect(shown).to_have_count(0)


@pytest.mark.parametrize("width", [700, 390])
def test_a_narrow_window_keeps_all_of_the_header(
    chromium: Browser, server: RunningServer, alice: Account, width: int
) -> None:
    with Person(chromium, server, width=width) as person:
        person.sign_in(alice)
        page = person.page
        for name in ("Stop", "Session", "Sessions", "Sign out"):
            control = page.locator("header.top").get_by_text(name, exact=True)
            box = control.locator("xpath=ancestor-or-self::*[self::a or self::button]").bounding_box()
            assert box
            assert box["x"] + box["width"] <= width
        person.type_at_prompt("cat('works', 'here')")
        person.sees("works here")


def test_the_overlay_put_aside_leaves_a_row(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("cat('pid', Sys.getpid(), '\\n')")
        person.sees("pid ")
        os.kill(int(person.console.rsplit("pid ", 1)[1].split()[0]), signal.SIGKILL)
        overlay = page.get_by_test_id("session-overlay")
        overlay.get_by_role("button", name="Look at the page first").click()
        expect(overlay).to_have_count(0)
        picture(person, "notice-aside")
        aside = notice(person, "ended")
        header = page.locator(".workbench .pane-header").first.bounding_box()
        assert header
        assert header["y"] >= bottom_of(aside)
        aside.get_by_role("button", name="Start R…").click()
        page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        expect(aside).to_have_count(0)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_page_without_javascript_is_readable_and_leads_to_the_sessions(
    chromium: Browser, server: RunningServer, alice: Account, scheme: Literal["dark", "light"]
) -> None:
    visitor = elsewhere(server, alice)
    visitor.open_session()
    address = f"http://127.0.0.1:{server.port}"
    context = chromium.new_context(java_script_enabled=False, color_scheme=scheme)
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in visitor.cookies.items()])
    page = context.new_page()
    page.goto(address + visitor.session_path)
    heading = page.get_by_role("heading", name="This page needs JavaScript")
    expect(heading).to_be_in_viewport()
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=f"{folder}/no-script-{scheme}.png")
    page.get_by_role("link", name="list of your sessions").click()
    expect(page.get_by_role("heading", name="Your sessions")).to_be_visible()
    context.close()

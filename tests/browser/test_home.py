"""The page with all sessions, with mouse, keyboard and without script."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def test_from_one_session_to_two_and_back(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.visit("/home")
        expect(page.get_by_role("heading", level=1)).to_have_text("Your sessions")
        expect(page.locator("li.session")).to_have_count(1)
        expect(page.locator("li.session .state")).to_have_text("Running")

        # Keyboard alone.
        page.get_by_text("New session", exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("Thesis ✓")
        page.keyboard.press("Enter")
        person.wait_for_prompt()
        second = page.url

        person.visit("/")
        expect(page).to_have_url(re.compile(r"/home$"))
        thesis = page.locator("li.session", has=page.get_by_role("link", name="Thesis ✓", exact=True))
        expect(thesis.locator("[data-fact=memory]")).to_have_text(re.compile(r"^\d+ MB$"), timeout=PATIENCE)

        thesis.get_by_text("Rename…").click()
        thesis.get_by_label("Label").fill("Chapter 2")
        thesis.get_by_role("button", name="Rename", exact=True).click()
        chapter = page.locator("li.session", has=page.get_by_role("link", name="Chapter 2", exact=True))
        expect(chapter).to_have_count(1)

        chapter.get_by_text("Kill…").click()
        chapter.get_by_role("button", name="Kill this session").click()
        expect(chapter.locator(".state")).to_have_text("Ended", timeout=PATIENCE)
        expect(chapter).to_contain_text("killed by its user")
        chapter.get_by_role("button", name="Start again").click()
        expect(chapter.locator(".state")).to_have_text("Running", timeout=PATIENCE)
        chapter.get_by_role("link", name="Open: Chapter 2").click()
        person.wait_for_prompt()
        assert page.url == second
        assert person.complaints == []


def test_the_list_follows_what_happens_elsewhere(chromium: Browser, server: RunningServer, alice: Account) -> None:
    elsewhere = Visitor(server.port)
    elsewhere.sign_in(alice.name, alice.password)
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.visit("/home")
        page = person.page
        page.evaluate("window.notReloaded = true")
        made = elsewhere.post_json("/api/sessions", {"label": "made elsewhere"}).json()
        row = page.locator(f"#session-{made['id']}")
        expect(row.locator(".state")).to_have_text("Running", timeout=PATIENCE)
        elsewhere.session_path = made["url"]
        elsewhere.init()
        elsewhere.post_json(f"/api/sessions/{made['id']}/quit", {})
        expect(row.locator(".state")).to_have_text("Ended", timeout=PATIENCE)
        expect(page.get_by_role("status")).to_contain_text("made elsewhere", timeout=PATIENCE)
        row.get_by_role("button", name="Remove from list").click()
        expect(row).to_have_count(0)
        assert person.complaints == []


def test_it_works_without_script(chromium: Browser, server: RunningServer, alice: Account) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/home")
        page.fill("[name=username]", alice.name)
        page.fill("[name=password]", alice.password)
        page.click("button[type=submit]")
        page.get_by_text("New session", exact=True).click()
        page.get_by_label("Label").fill("plain form")
        page.get_by_label("Without .Rprofile").check()
        page.get_by_role("button", name="Start the session").click()
        page.goto(f"http://127.0.0.1:{server.port}/home")
        row = page.locator("li.session")
        expect(row).to_contain_text("plain form")
        row.get_by_text("Kill…").click()
        row.get_by_role("button", name="Kill this session").click()
        expect(page).to_have_url(re.compile(r"/home$"))
    finally:
        context.close()


def test_a_session_that_is_suspended_while_its_page_is_open(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person, Person(chromium, server) as other:
        person.sign_in(alice)
        person.type_at_prompt("kept <- 4711")
        person.wait_for_prompt()
        other.sign_in(alice)
        other.page.get_by_test_id("sessions-link").click()
        row = other.page.locator("li.session")
        expect(row.locator("[data-fact=connected]")).to_have_text("1 page", timeout=PATIENCE)
        row.get_by_role("button", name="Suspend").click()
        expect(row.locator(".state")).to_have_text("Suspended", timeout=PATIENCE)
        notice = person.page.get_by_test_id("notice-suspended")
        expect(notice).to_contain_text("The session was suspended", timeout=PATIENCE)
        notice.get_by_role("button", name="Resume").click()
        person.wait_for_prompt()
        person.type_at_prompt("kept + 1")
        person.sees("4712")

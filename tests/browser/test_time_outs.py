"""What the page shows of suspensions, time-outs and the administrator's words."""

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account, processes_of
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server whose configuration may be changed."""
    with running_server() as running:
        yield running


def elsewhere(server: RunningServer, account: Account) -> Visitor:
    """The same person in front of another machine."""
    visitor = Visitor(server.port)
    visitor.sign_in(account.name, account.password)
    return visitor


def suspend(visitor: Visitor, *, force: bool = False) -> None:
    session = visitor.get("/api/sessions").json()["sessions"][0]["id"]
    assert visitor.post_json(f"/api/sessions/{session}/suspend", {"force": force}).status == 202


def notice(person: Person, name: str) -> Locator:
    return person.page.get_by_test_id(f"notice-{name}")


def picture(person: Person, name: str) -> None:
    """For whoever wants to look: TEST_PICTURES names a folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        person.page.screenshot(path=f"{folder}/{name}.png")


def test_a_suspended_page_goes_on_with_the_first_key_and_loses_nothing(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("kept <- 4711; cat('once', 'only')")
        person.sees("once only")
        page.get_by_test_id("new-document").click()
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.type("draft <- TRUE")
        page.get_by_test_id("console-input").click()
        page.keyboard.type("kept ")
        page.evaluate("window.notReloaded = true")
        suspend(elsewhere(server, alice))
        expect(notice(person, "suspended")).to_contain_text("The session was suspended. Its objects are kept.")
        expect(page.get_by_test_id("connection-state")).to_have_text("Suspended")
        picture(person, "suspended")
        # Nothing has the focus but what had it before.
        page.keyboard.type("+ 1")
        page.keyboard.press("Enter")
        person.sees("[1] 4712")
        expect(notice(person, "suspended")).to_have_count(0)
        assert person.console.count("once only\n") == 1
        expect(page.get_by_test_id("editor")).to_contain_text("draft <- TRUE")
        assert page.evaluate("window.notReloaded")
        assert person.complaints == []


def test_the_resume_button_and_the_other_ways(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        visitor = elsewhere(server, alice)
        suspend(visitor)
        expect(notice(person, "suspended")).to_be_visible()
        notice(person, "suspended").get_by_role("button", name="Other ways…").click()
        overlay = person.page.get_by_test_id("session-overlay")
        expect(overlay.get_by_test_id("overlay-no-restore")).to_be_visible()
        picture(person, "other-ways")
        overlay.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        suspend(visitor)
        notice(person, "suspended").get_by_role("button", name="Resume").click()
        person.wait_for_prompt()


def test_what_stands_against_a_suspension_is_told_in_the_page_and_on_the_list(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person, Person(chromium, server) as other:
        person.sign_in(alice)
        person.type_at_prompt("con <- file('notes.txt', 'w')")
        person.wait_for_prompt()
        other.sign_in(alice)
        other.visit("/home")
        row = other.page.locator("li.session")
        expect(row.get_by_role("button", name="Suspend anyway")).to_have_count(0)
        expect(row).not_to_contain_text("notes.txt")
        row.get_by_role("button", name="Suspend", exact=False).first.click()
        expect(notice(person, "blocked")).to_contain_text("Connections are open: notes.txt.")
        refused = "The session was not suspended. Connections are open: notes.txt."
        expect(row.locator(".cause").first).to_have_text(refused, timeout=PATIENCE)
        picture(person, "blocked")
        picture(other, "blocked-home")
        person.type_at_prompt("close(con)")
        person.wait_for_prompt()
        expect(row).not_to_contain_text("notes.txt", timeout=PATIENCE)
        expect(notice(person, "blocked")).to_have_count(0, timeout=PATIENCE)
        person.type_at_prompt("con <- file('notes.txt', 'w')")
        person.wait_for_prompt()
        suspend(elsewhere(server, alice))
        notice(person, "blocked").get_by_role("button", name="Suspend anyway").click()
        expect(notice(person, "suspended")).to_be_visible(timeout=PATIENCE)
        assert person.complaints == []


def test_the_administrators_words_come_go_and_can_be_dismissed(
    chromium: Browser, own_server: RunningServer, alice: Account
) -> None:
    file = own_server.directory / "conf" / "notifications.conf"
    with Person(chromium, own_server) as person:
        person.sign_in(alice)
        expect(notice(person, "notification")).to_have_count(0)
        file.write_text("EndTime: 2100-01-01\nMessage: The server restarts at <b>six</b>.\n  Nothing is lost.\n")
        shown = notice(person, "notification")
        expect(shown).to_contain_text("The server restarts at <b>six</b>.", timeout=PATIENCE)
        picture(person, "notification")
        home = person.page.context.new_page()
        home.goto(f"http://127.0.0.1:{own_server.port}/home")
        on_home = home.locator(".notification")
        expect(on_home).to_contain_text("restarts at <b>six</b>.")
        if folder := os.environ.get("TEST_PICTURES"):
            home.screenshot(path=f"{folder}/notification-home.png")
        shown.get_by_role("button", name="Dismiss").focus()
        person.page.keyboard.press("Enter")
        expect(shown).to_have_count(0)
        home.reload()
        expect(home.get_by_role("heading", level=1)).to_be_visible()
        expect(on_home).to_have_count(0)
        file.write_text("EndTime: 2100-01-01\nMessage: At seven.\n")
        expect(shown).to_contain_text("At seven.", timeout=PATIENCE)
        expect(on_home).to_contain_text("At seven.", timeout=PATIENCE)
        file.unlink()
        expect(shown).to_have_count(0, timeout=PATIENCE)
        assert person.complaints == []


@pytest.mark.slow
def test_an_open_page_that_nobody_uses_is_warned_and_then_suspended(
    chromium: Browser, own_server: RunningServer, alice: Account
) -> None:
    conf = own_server.directory / "conf" / "rsession.conf"
    conf.write_text("session-timeout-minutes=1\nsession-timeout-warning-seconds=30\n")
    with Person(chromium, own_server) as person, Person(chromium, own_server) as other:
        person.sign_in(alice)
        person.type_at_prompt("kept <- 4711")
        person.wait_for_prompt()
        other.sign_in(alice)
        for each in (person, other):
            ending = notice(each, "ending")
            expect(ending).to_contain_text("This session will be suspended in", timeout=40_000)
            expect(ending).to_contain_text("Sessions that nobody uses for 1 minute are suspended.")
        expect(person.page.get_by_test_id("time-left")).to_have_text(re.compile(r"^0:[0-2]\d$"))
        picture(person, "ending")
        notice(other, "ending").get_by_role("button", name="Keep it running").click()
        for each in (person, other):
            expect(notice(each, "ending")).to_have_count(0)
        expect(notice(person, "ending")).to_be_visible(timeout=40_000)
        for each in (person, other):
            suspended = notice(each, "suspended")
            expect(suspended).to_contain_text("Nobody used it for 1 minute.", timeout=40_000)
        person.type_at_prompt("kept + 1")
        person.sees("[1] 4712")
        other.wait_for_prompt()
        assert person.complaints == []


def stop_writer(account: Account) -> int:
    """Keep the process that writes the objects from going on, as a slow disk would; its pid."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for pid in processes_of(account.uid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == "rsession-writer\n":
                    os.kill(pid, signal.SIGSTOP)
                    return pid
    raise AssertionError("no writer")


@pytest.mark.slow
def test_suspending_and_loading_show_how_far_they_are_and_can_be_stopped(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("large <- lapply(1:8, function(i) rnorm(1e7)); cat('made', 'it')")
        person.sees("made it", patience=120_000)
        person.wait_for_prompt()
        visitor = elsewhere(server, alice)
        # The answer comes when it is written, or after a second.
        asking = threading.Thread(target=suspend, args=(visitor,))
        asking.start()
        stop_writer(alice)
        asking.join(10)
        suspending = notice(person, "suspending")
        expect(suspending).to_contain_text(re.compile(r"being suspended: [\d.]+ \w+ of 640(\.0)? MB written"))
        picture(person, "suspending")
        suspending.get_by_role("button", name="Cancel").click()
        expect(suspending).to_have_count(0, timeout=PATIENCE)
        person.type_at_prompt("cat('goes', 'on', length(large))")
        person.sees("goes on 8")
        person.wait_for_prompt()
        suspend(visitor)
        expect(notice(person, "suspended")).to_be_visible(timeout=120_000)
        # While R works nothing is loaded.
        page.get_by_test_id("console-input").click()
        page.keyboard.type("Sys.sleep(5)")
        page.keyboard.press("Enter")
        loading = notice(person, "loading")
        expect(loading).to_contain_text(
            re.compile(r"Loading objects: [\d.]+ \w+ of 640(\.0)? MB loaded"), timeout=PATIENCE
        )
        picture(person, "loading")
        loading.get_by_role("button", name="Stop loading").click()
        expect(loading).to_have_count(0)
        person.type_at_prompt("cat('there', length(large[[8]]))")
        person.sees("there 10000000", patience=60_000)

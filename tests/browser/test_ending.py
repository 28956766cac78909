"""Quitting, restarting and crashing, as a person sees them."""

import os
import re
import signal
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person
from tests.system.accounts import Account, processes_of
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def value(person: Person, code: str) -> str:
    """What code prints, between marks that no other call has."""
    mark = os.urandom(3).hex()
    person.type_at_prompt(f'cat("<{mark}", {code}, "{mark}>\\n")')
    shown = re.compile(f"<{mark} (.*) {mark}>")
    expect(person.page.get_by_test_id("console-output")).to_contain_text(shown)
    return str(shown.findall(person.console)[-1])


def pid_of(person: Person) -> int:
    return int(value(person, "Sys.getpid()"))


def wait_for_end(account: Account, pid: int) -> None:
    """Its page has heard of the end by then."""
    end = time.monotonic() + 20
    while pid in processes_of(account.uid):
        assert time.monotonic() < end, "R is still there"
        time.sleep(0.02)


def test_q_asks_in_a_dialog(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("kept <- 42")
        person.type_at_prompt("q()")
        dialog = page.get_by_test_id("dialog")
        expect(dialog).to_contain_text(str(alice.home / ".RData"))
        page.reload()
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()
        person.wait_for_prompt()
        person.type_at_prompt("q()")
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Save", exact=True).click()
        overlay = page.get_by_test_id("session-overlay")
        expect(overlay).to_contain_text("R was quit.")
        assert (alice.home / ".RData").exists()
        page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        assert value(person, "kept") == "42"


def test_quitting_by_the_menu_asks_before_it_stops_anything(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt('Sys.sleep(1); cat("went on\\n")')
        page.get_by_test_id("session-menu").click()
        page.get_by_test_id("command-quitSession").click()
        dialog = page.get_by_test_id("dialog")
        expect(dialog).to_contain_text("R is working")
        page.keyboard.press("Escape")
        person.sees("went on")
        page.get_by_test_id("session-menu").click()
        page.get_by_test_id("command-quitSession").click()
        dialog.get_by_role("button", name="Don't save").click()
        expect(page.get_by_test_id("session-overlay")).to_contain_text("R was quit.")
        assert not (alice.home / ".RData").exists()


def test_r_is_restarted_under_the_same_page(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        page.evaluate("window.notReloaded = true")
        person.type_at_prompt('x <- 42; cat("shown", "before\\n")')
        before = pid_of(person)
        page.keyboard.press("Control+Shift+F10")
        wait_for_end(alice, before)
        person.wait_for_prompt()
        assert value(person, "x") == "42"
        after = pid_of(person)
        assert after != before
        assert person.console.count("shown before") == 1
        assert person.console.count("R was started again") == 1
        page.get_by_test_id("session-menu").click()
        page.get_by_test_id("command-restartEmpty").click()
        page.get_by_role("button", name="Restart without objects").click()
        wait_for_end(alice, after)
        person.wait_for_prompt()
        assert value(person, 'exists("x")') == "FALSE"
        assert page.evaluate("window.notReloaded")


def test_one_moment_has_one_clock(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server, zone="Asia/Kathmandu") as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("x <- 42")
        pid = pid_of(person)
        page.keyboard.press("Control+Shift+F10")
        wait_for_end(alice, pid)
        person.wait_for_prompt()
        os.kill(pid_of(person), signal.SIGKILL)
        page.get_by_test_id("overlay-start").click()
        notice = page.get_by_test_id("recovery")
        expect(notice).to_contain_text("kept as they were at")
        person.wait_for_prompt()
        shown = f"{notice.inner_text()} {person.console}"
        told = re.search(r"kept as they were at (.*?), later.*What it had at (.*?) \(", shown, re.DOTALL)
        assert told is not None
        assert told.group(1) == told.group(2)
        assert f"with the objects of {told.group(1)}." in shown
        assert "UTC" not in shown


def test_after_a_crash_the_objects_are_there_and_may_be_put_aside(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("x <- 42")
        pid = pid_of(person)
        page.keyboard.press("Control+Shift+F10")
        wait_for_end(alice, pid)
        person.wait_for_prompt()
        for name in ("Keep", "Start empty instead"):
            os.kill(pid_of(person), signal.SIGKILL)
            page.get_by_test_id("session-overlay").wait_for(state="visible")
            page.get_by_test_id("overlay-start").click()
            notice = page.get_by_test_id("recovery")
            expect(notice).to_contain_text("SIGKILL")
            expect(notice).to_contain_text("(1 object")
            person.wait_for_prompt()
            assert value(person, "x") == "42"
            pid = pid_of(person)
            notice.get_by_role("button", name=name).click()
            expect(notice).to_be_hidden()
        wait_for_end(alice, pid)
        person.wait_for_prompt()
        assert value(person, 'exists("x")') == "FALSE"


@pytest.mark.parametrize(
    ("is_stored", "proposed"),
    [(True, "overlay-no-restore"), (False, "overlay-empty")],
)
def test_a_session_that_fails_again_and_again_is_to_be_started_in_another_way(
    chromium: Browser, server: RunningServer, alice: Account, is_stored: bool, proposed: str
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        if is_stored:
            pid = pid_of(person)
            page.keyboard.press("Control+Shift+F10")
            wait_for_end(alice, pid)
            person.wait_for_prompt()
        for advised in (False, True):
            os.kill(pid_of(person), signal.SIGKILL)
            page.get_by_test_id("session-overlay").wait_for(state="visible")
            assert page.get_by_test_id("overlay-advice").is_visible() is advised
            if not advised:
                page.get_by_test_id("overlay-start").click()
                person.wait_for_prompt()
        expect(page.get_by_test_id(proposed)).to_be_focused()
        page.keyboard.press("Enter")
        person.wait_for_prompt()


def test_tabs_cursor_and_scroll_position_come_back(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        for number, name in enumerate(("first", "second"), 1):
            page.get_by_test_id("new-document").click()
            expect(page.get_by_test_id("editor-tab")).to_have_count(number)
            expect(page.get_by_label(f"Text of Untitled{number}")).to_be_focused()
            page.keyboard.insert_text(numbered_lines(name))
        page.get_by_test_id("editor-tab").first.click()
        page.keyboard.press("Control+Home")
        for _ in range(149):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("End")
        line = page.locator(".cm-content:visible .cm-activeLine")
        expect(line).to_have_text("first 150")
        wait_for_view(alice, f'"head": {numbered_lines("first").index("first 151") - 1},')
        pid = pid_of(person)
        os.kill(pid, signal.SIGKILL)
        page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        expect(page.get_by_test_id("editor-tab")).to_have_count(2)
        expect(page.get_by_test_id("editor-tab").first).to_have_attribute("aria-selected", "true")
        line = page.locator(".cm-content:visible .cm-activeLine")
        expect(line).to_have_text("first 150")
        expect(line).to_be_in_viewport()
        page.get_by_test_id("editor-tab").first.click()
        page.keyboard.type(" here")
        expect(line).to_have_text("first 150 here")


def numbered_lines(name: str) -> str:
    """Three hundred."""
    return "".join(f"{name} {number}\n" for number in range(1, 301))


def wait_for_view(account: Account, text: str) -> None:
    """The session has kept a place with that in it."""
    end = time.monotonic() + 20
    while not any(
        text in path.read_text() for path in account.home.glob(".local/share/rstudio/sources/session-*/view")
    ):
        assert time.monotonic() < end, "no such place was kept"
        time.sleep(0.1)

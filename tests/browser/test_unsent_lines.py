"""Lines that R did not take stand at the prompt again."""

import os
import signal
import threading
import time

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.person import PATIENCE, Person
from tests.browser.test_time_outs import elsewhere, notice, picture, stop_writer, suspend
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def has_at_prompt(person: Person, text: str) -> None:
    expect(person.page.get_by_test_id("console-input").locator(".cm-content")).to_have_text(text, timeout=PATIENCE)


def says(person: Person, text: str) -> None:
    expect(person.page.get_by_test_id("input-word")).to_contain_text(text, timeout=PATIENCE)


def make_objects(person: Person, count: int) -> None:
    person.type_at_prompt(f"large <- lapply(1:{count}, function(i) rnorm(1e7)); cat('made', 'it')")
    person.sees("made it", patience=60_000)
    person.wait_for_prompt()


def test_lines_sent_while_the_session_is_being_suspended(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        page.get_by_test_id("new-document").click()
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.type("cat('of', 'the editor')")
        make_objects(person, 1)
        asking = threading.Thread(target=suspend, args=(elsewhere(server, alice),))
        asking.start()
        writer = stop_writer(alice)
        person.type_at_prompt("cat('typed', 'then')")
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        has_at_prompt(person, "cat('typed', 'then')cat('of', 'the editor')")
        says(person, "this was not run")
        os.kill(writer, signal.SIGCONT)
        asking.join(20)
        expect(notice(person, "suspended")).to_be_visible()
        picture(person, "unsent-suspended")
        notice(person, "suspended").get_by_role("button", name="Resume").click()
        person.wait_for_prompt()
        has_at_prompt(person, "cat('typed', 'then')cat('of', 'the editor')")
        picture(person, "unsent-resumed")
        page.get_by_test_id("console-input").click()
        page.keyboard.press("Control+End")
        page.keyboard.press("Enter")
        person.sees("typed then")
        person.sees("of the editor")
        expect(page.get_by_test_id("input-word")).to_have_count(0)
        assert person.console.count("typed then") == 1


def test_a_line_sent_at_the_moment_of_suspending_is_run_or_stands_at_the_prompt(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        make_objects(person, 3)
        asking = threading.Thread(target=suspend, args=(elsewhere(server, alice),))
        asking.start()
        person.type_at_prompt("cat('not', 'lost')")
        asking.join(20)
        prompt = page.get_by_test_id("console-input").locator(".cm-content")
        end = time.monotonic() + 20
        while "not lost" not in person.console:
            assert time.monotonic() < end, "neither run nor back"
            if "cat('not', 'lost')" in prompt.inner_text():
                # The first key brings a suspended session back; it is Enter, which runs the line.
                page.keyboard.press("Enter")
            page.wait_for_timeout(100)
        person.wait_for_prompt()


def test_lines_that_waited_when_r_crashed(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("cat('pid', Sys.getpid(), '\\n')")
        person.sees("pid ")
        pid = int(person.console.rsplit("pid ", 1)[1].split()[0])
        person.type_at_prompt("Sys.sleep(600)")
        page.get_by_test_id("stop-button").and_(page.locator(":enabled")).wait_for()
        person.type_at_prompt("cat('after', 'wards')")
        has_at_prompt(person, "")
        os.kill(pid, signal.SIGKILL)
        page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        has_at_prompt(person, "cat('after', 'wards')")
        says(person, "R ended before it took this")
        picture(person, "unsent-crashed")
        page.get_by_test_id("console-input").click()
        page.keyboard.press("Enter")
        person.sees("after wards")


def test_lines_that_were_stopped_do_not_come_back(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("Sys.sleep(600)")
        person.type_at_prompt("cat('after', 'wards')")
        page.get_by_test_id("stop-button").and_(page.locator(":enabled")).click()
        person.wait_for_prompt()
        page.keyboard.press("Control+Shift+F10")
        person.sees("R was started again")
        person.wait_for_prompt()
        has_at_prompt(person, "")


@pytest.mark.parametrize("failure", ["502", "broken"])
def test_lines_that_did_not_get_through(chromium: Browser, server: RunningServer, alice: Account, failure: str) -> None:
    def fail(route: Route) -> None:
        if failure == "502":
            route.fulfill(status=502, body="Bad gateway")
        else:
            route.abort()

    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        page.route("**/rpc/console_input", fail)
        person.type_at_prompt("cat('got', 'through')")
        has_at_prompt(person, "cat('got', 'through')")
        says(person, "was not run" if failure == "502" else "The connection broke while this was sent.")
        page.unroute("**/rpc/console_input")
        page.keyboard.press("Enter")
        person.sees("got through")
        expect(page.get_by_test_id("input-word")).to_have_count(0)

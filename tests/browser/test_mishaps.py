"""What the page shows when something dies or cannot start."""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.person import Person
from tests.system.accounts import Account, processes_of
from tests.system.running_server import RunningServer, running_server
from tests.system.test_survival import kill_and_wait
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server that may be mistreated."""
    with running_server() as running:
        yield running


def _session_pid(person: Person, account: Account) -> int:
    # The console shows again what an earlier process answered.
    mark = os.urandom(3).hex()
    person.type_at_prompt(f'cat("pid", Sys.getpid(), "{mark}")')
    answer = re.compile(rf"pid (\d+) {mark}")
    expect(person.page.get_by_test_id("console-output")).to_contain_text(answer)
    pid = int(answer.findall(person.console)[-1])
    assert pid in processes_of(account.uid)
    return pid


def test_output_goes_on_without_reload_when_the_server_is_killed(
    chromium: Browser, own_server: RunningServer, alice: Account
) -> None:
    # So tall that the console shows every line at once.
    with Person(chromium, own_server, height=16_000) as person:
        person.sign_in(alice)
        person.page.evaluate("window.notReloaded = true")
        person.type_at_prompt('for (i in 1:300) { cat("line", i, "\\n"); Sys.sleep(0.03) }')
        visitor = Visitor(own_server.port)
        visitor.sign_in(alice.name, alice.password)
        visitor.open_session()
        for part in ("worker", "master", "launcher"):
            kill_and_wait(own_server, visitor, part)
        person.sees("line 300 ", patience=40_000)
        person.wait_for_prompt()
        lines = re.findall(r"^line (\d+) $", person.console, re.MULTILINE)
        assert lines == [str(i) for i in range(1, 301)]
        assert person.page.evaluate("window.notReloaded")


def test_a_killed_session_says_so_within_a_second_and_keeps_the_text(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        pid = _session_pid(person, alice)
        page = person.page
        page.get_by_test_id("new-document").click()
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.type("unsaved <- TRUE")
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        overlay = page.get_by_test_id("session-overlay")
        overlay.wait_for(state="visible")
        assert time.monotonic() - killed < 1.0
        expect(overlay).to_contain_text("SIGKILL")
        expect(page.get_by_test_id("editor")).to_contain_text("unsaved <- TRUE")
        page.get_by_test_id("overlay-start").click()
        expect(overlay).to_be_hidden()
        person.wait_for_prompt()
        expect(page.get_by_test_id("editor")).to_contain_text("unsaved <- TRUE")
        page.reload()
        person.wait_for_prompt()
        expect(page.get_by_test_id("editor")).to_contain_text("unsaved <- TRUE")
        assert _session_pid(person, alice) != pid


def test_quitting_r_offers_a_new_session(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.type_at_prompt('q("no")')
        person.page.get_by_test_id("session-overlay").wait_for(state="visible")
        person.page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()


def test_a_segfault_shows_r_s_own_menu(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.type_at_prompt("tools::pskill(Sys.getpid(), 11)")
        person.sees("caught segfault")
        person.wait_for_prompt("Selection:")
        person.type_at_prompt("1")
        overlay = person.page.get_by_test_id("session-overlay")
        expect(overlay).to_be_visible()


def test_a_profile_that_fails_is_explained_in_the_console(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    profile = alice.home / ".Rprofile"
    profile.write_text('stop("the profile is broken")\n')
    os.chown(profile, alice.uid, alice.gid)
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.sees("the profile is broken")


def test_a_login_script_that_ends_the_session_is_explained_with_choices(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    script = alice.home / ".bash_profile"
    script.write_text('echo "this account is closed on Sundays" >&2\nexit 1\n')
    os.chown(script, alice.uid, alice.gid)
    with Person(chromium, server) as person:
        person.visit()
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        expect(person.page.locator("body")).to_contain_text("closed on Sundays")
        script.unlink()
        person.page.reload()
        expect(person.page.locator("body")).to_contain_text("closed on Sundays")
        person.page.locator("button[value=retry], [data-testid=overlay-start]").first.click()
        person.wait_for_prompt()


def test_no_r_at_all_is_explained(chromium: Browser, alice: Account) -> None:
    with running_server(rsession_which_r="/nonexistent/R") as server, Person(chromium, server) as person:
        person.visit()
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        expect(person.page.locator("body")).to_contain_text("/nonexistent/R")


def test_a_page_that_outlived_an_update_of_the_server_asks_to_be_reloaded(
    chromium: Browser, own_server: RunningServer, alice: Account
) -> None:
    with Person(chromium, own_server) as person:
        person.sign_in(alice)
        visitor = Visitor(own_server.port)
        visitor.sign_in(alice.name, alice.password)
        visitor.open_session()
        kill_and_wait(own_server, visitor, "worker")
        person.type_at_prompt("cat('same', 'version')")
        person.sees("same version")
        notice = person.page.get_by_text("newer version of this page")
        expect(notice).to_have_count(0)

        def updated(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(
                response=answer, body=re.sub(r"assets/index-[\w-]+\.js", "assets/index-new.js", answer.text())
            )

        # Stands for the files that an update brings.
        person.page.route(f"**{visitor.session_path}", updated)
        kill_and_wait(own_server, visitor, "worker")
        expect(notice).to_be_visible()
        person.page.unroute(f"**{visitor.session_path}")
        person.page.reload()
        person.wait_for_prompt()
        person.sees("same version")
        expect(notice).to_have_count(0)

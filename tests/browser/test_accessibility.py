"""What axe finds on each page, in both colour schemes: nothing. Rules: WCAG 2.1, levels A and AA, and good practice."""

import os
import signal
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import Person
from tests.browser.test_time_outs import elsewhere, notice, suspend
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

AXE = Path(__file__).parents[2] / "ide" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.flatMap(({id, help, nodes}) => nodes.map(
    ({html, any}) => `${id}: ${help}: ${html.slice(0, 160)} ${any.map(({message}) => message).join("; ")}`));
}"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def complaints(page: Page) -> list[str]:
    """Of axe, in both colour schemes."""
    page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in page.evaluate(RUN)]
    return found


def test_sign_in(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.visit()
        assert complaints(person.page) == []
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", "wrong")
        person.page.click("button[type=submit]")
        expect(person.page.locator(".error")).to_be_visible()
        assert complaints(person.page) == []


def test_a_session(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("x <- 1:10; f <- function() 1; d <- data.frame(a = 1); plot(x)")
        expect(page.get_by_role("img")).to_be_visible()
        page.get_by_test_id("new-document").click()
        page.keyboard.type("x <- c(1, 'two') # three")
        assert complaints(page) == []
        page.get_by_test_id("session-menu").click()
        assert complaints(page) == []
        page.keyboard.press("Escape")
        suspend(elsewhere(server, alice), force=True)
        expect(notice(person, "suspended")).to_be_visible()
        assert complaints(page) == []
        notice(person, "suspended").get_by_role("button", name="Other ways…").click()
        assert complaints(page) == []


def test_the_list_of_sessions(chromium: Browser, server: RunningServer, alice: Account) -> None:
    visitor = elsewhere(server, alice)
    for label in ("", "A label of several words", "Third"):
        made = visitor.post_json("/api/sessions", {"label": label})
        assert made.status == 201
    with Person(chromium, server, width=390) as person:
        person.visit()
        page = person.page
        page.fill("[name=username]", alice.name)
        page.fill("[name=password]", alice.password)
        page.click("button[type=submit]")
        expect(page.locator("li.session")).to_have_count(3)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert complaints(page) == []


def test_a_session_that_failed(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("cat('pid', Sys.getpid(), '\\n')")
        person.sees("pid ")
        os.kill(int(person.console.rsplit("pid ", 1)[1].split()[0]), signal.SIGKILL)
        page.get_by_test_id("session-overlay").wait_for()
        assert complaints(page) == []
        page.reload()
        expect(page.get_by_role("heading", name="The R session failed")).to_be_visible()
        assert complaints(page) == []
        person.visit("/nowhere")
        assert complaints(page) == []

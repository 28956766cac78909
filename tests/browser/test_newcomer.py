"""What a newcomer does in the first ten minutes, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def test_fit_plot_edit_run_stop_leave_and_return(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("fit <- lm(mpg ~ wt, mtcars); plot(fit, 1)")
        expect(page.get_by_test_id("env-row-fit")).to_contain_text("List of 12")
        plot = page.get_by_test_id("plot-image")
        expect(plot).to_be_visible()
        page.wait_for_function("e => e.complete && e.naturalWidth > 300", arg=plot.element_handle())
        person.type_at_prompt("coef(fit)")
        person.sees("37.285126")

        page.get_by_test_id("new-document").click()
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.type("a <- 6 * 7\nb <- a + 1\n")
        page.keyboard.press("Control+Home")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("env-row-a")).to_contain_text("42")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("env-row-b")).to_contain_text("43")

        person.type_at_prompt("while (TRUE) {}")
        stop = page.get_by_test_id("stop-button")
        expect(stop).to_be_enabled()
        stop.click()
        expect(stop).to_be_disabled()
        person.type_at_prompt('"still" -> here')
        expect(page.get_by_test_id("env-row-here")).to_contain_text("still")

        page.get_by_test_id("sign-out").click()
        expect(page.locator("[name=password]")).to_be_visible()
        person.sign_in(alice)
        person.sees("37.285126")
        expect(page.get_by_test_id("env-row-fit")).to_be_visible()
        expect(page.get_by_test_id("editor")).to_contain_text("b <- a + 1")
        expect(page.get_by_test_id("plot-image")).to_be_visible()
        assert person.complaints == []


def test_two_people_at_once(chromium: Browser, server: RunningServer, alice: Account, bob: Account) -> None:
    with Person(chromium, server) as one, Person(chromium, server) as other:
        for person, account in ((one, alice), (other, bob)):
            person.sign_in(account)
        for person, account in ((one, alice), (other, bob)):
            person.type_at_prompt('cat(Sys.info()[["user"]], path.expand("~"), Sys.getpid(), "\\n")')
            person.sees(f"{account.name} {account.home} ")
        pids = [re.findall(r"/home/\S+ (\d+)", person.console)[-1] for person in (one, other)]
        assert pids[0] != pids[1]


def test_questions_are_asked_in_the_console(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.type_at_prompt('name <- readline("Who? ")')
        person.wait_for_prompt("Who?")
        person.type_at_prompt("Ada")
        person.wait_for_prompt()
        person.type_at_prompt('menu(c("red", "blue"))')
        person.wait_for_prompt("Selection:")
        person.type_at_prompt("2")
        person.sees("[1] 2")
        person.type_at_prompt("f <- function(x) { browser(); x + 1 }")
        person.type_at_prompt("f(41)")
        person.wait_for_prompt("Browse[1]>")
        person.type_at_prompt("x")
        person.sees("[1] 41")
        person.type_at_prompt("c")
        person.sees("[1] 42")
        person.wait_for_prompt()
        person.type_at_prompt("1 +")
        person.wait_for_prompt("+")
        person.type_at_prompt("1")
        person.wait_for_prompt()
        person.type_at_prompt("toupper(name)")
        person.sees('"ADA"')
        assert person.complaints == []


def test_a_flood_of_output_leaves_the_page_usable(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        person.type_at_prompt('for (i in 1:300000) cat(i, "\\n")')
        expect(person.page.get_by_test_id("stop-button")).to_be_enabled()
        slowest = person.page.evaluate(
            """() => new Promise(done => {
                let last = performance.now(), slowest = 0, frames = 0;
                const tick = now => {
                    slowest = Math.max(slowest, now - last); last = now;
                    if (++frames < 60) requestAnimationFrame(tick); else done(slowest);
                };
                requestAnimationFrame(tick);
            })"""
        )
        person.sees("300000", patience=60_000)
        person.wait_for_prompt()
        assert slowest < 1000
        assert person.page.evaluate("document.querySelectorAll('*').length") < 20_000
        person.type_at_prompt('"alive" -> state')
        expect(person.page.get_by_test_id("env-row-state")).to_contain_text("alive")

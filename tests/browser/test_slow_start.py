"""A start that takes long can be left, stopped, or done in another way."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import PATIENCE, Person
from tests.browser.test_time_outs import picture
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def test_a_start_that_takes_long(chromium: Browser, server: RunningServer, alice: Account) -> None:
    script = alice.home / ".bash_profile"
    script.write_text("sleep 300\n")
    with Person(chromium, server) as person:
        person.visit()
        page = person.page
        page.fill("[name=username]", alice.name)
        page.fill("[name=password]", alice.password)
        page.click("button[type=submit]")
        launching = page.get_by_test_id("session-launching")
        expect(launching).to_contain_text("Starting R")
        stop = page.get_by_test_id("launch-stop")
        expect(stop).to_have_count(0)
        expect(stop).to_be_visible(timeout=PATIENCE)
        expect(launching.get_by_role("link", name="Your sessions")).to_be_visible()
        picture(person, "launching-long")
        stop.click()
        overlay = page.get_by_test_id("session-overlay")
        expect(overlay).to_contain_text("killed by its user")
        script.unlink()
        page.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        expect(launching).to_have_count(0)

"""What a user sees of the memory that a session may have."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import PATIENCE, Person
from tests.browser.test_time_outs import picture
from tests.system.accounts import Account
from tests.system.test_profiles import needs_cgroups, server_with

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


@needs_cgroups
def test_a_banner_while_memory_runs_short_and_the_reason_when_it_did(chromium: Browser, alice: Account) -> None:
    profiles = f"[{alice.name}]\nmax-memory-mb=300\n"
    with server_with(profiles) as server, Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        banner = page.get_by_test_id("memory-banner")
        expect(banner).to_be_hidden()
        gauge = page.get_by_role("meter", name="Memory of this session")
        expect(gauge).to_have_text(re.compile(r"^\d+ MB of 300 MB$"))
        before = int(gauge.get_attribute("aria-valuenow") or 0)
        person.type_at_prompt("w <- rep(1, 60 * 131072)")
        expect(gauge).not_to_have_attribute("aria-valuenow", str(before), timeout=PATIENCE)
        assert 10 < int(gauge.get_attribute("aria-valuenow") or 0) - before < 30
        person.type_at_prompt("rm(w); invisible(gc())")
        person.type_at_prompt("x <- rep(1, 210 * 131072)")
        expect(banner).to_contain_text(re.compile(r"^This session uses \d+ MB of the 300 MB"), timeout=PATIENCE)
        expect(banner).to_contain_text("remove large objects with rm()")
        expect(gauge).to_have_class(re.compile("memory-short"))
        picture(person, "memory-short")
        page.reload()
        person.wait_for_prompt()
        expect(banner).to_be_visible()
        person.type_at_prompt("rm(x); invisible(gc())")
        expect(banner).to_be_hidden(timeout=PATIENCE)
        person.type_at_prompt("y <- rep(1, 300 * 131072)")
        overlay = page.get_by_test_id("session-overlay")
        expect(overlay).to_contain_text("of the 300 MB of memory that this server allows a session", timeout=PATIENCE)
        page.goto(f"http://127.0.0.1:{server.port}/home")
        expect(page.locator("#sessions")).to_contain_text("of the 300 MB of memory")

"""The page over HTTPS."""

import pytest
from playwright.sync_api import Browser

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.running_server import running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def test_console_and_events_over_tls(chromium: Browser, alice: Account) -> None:
    with running_server(ssl_enabled="1") as server, Person(chromium, server) as person:
        person.sign_in(alice)
        assert person.page.url.startswith("https://")
        person.type_at_prompt("cat(strrep('x', 200000), 'end')")
        person.sees("end")
        person.wait_for_prompt()
        assert all(cookie["secure"] for cookie in person.page.context.cookies())
        assert person.complaints == []

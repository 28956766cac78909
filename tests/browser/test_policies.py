"""The page works with every policy that the server sends, by itself and behind its own nginx, and breaks none."""

import re
import shutil

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account
from tests.system.running_server import running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

OWN_NGINX = {"server_http": "1", "ssl_enabled": "1"}
VIOLATED = "document.addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective, e.blockedURI))"


@pytest.mark.parametrize("options", [{}, OWN_NGINX], ids=["by itself", "own nginx over TLS"])
def test_no_policy_is_broken(chromium: Browser, alice: Account, options: dict[str, str]) -> None:
    if options and shutil.which("nginx") is None:
        pytest.skip("needs nginx (Debian: nginx-light)")
    with running_server(None, "", None, None, **options) as server, Person(chromium, server) as person:
        answers: list[Response] = []
        page = person.page
        page.on("response", lambda answer: answers.append(answer))
        page.add_init_script(VIOLATED)
        person.sign_in(alice)
        person.type_at_prompt("plot(1:10); x <- data.frame(a = 1:3); cat('drawn')")
        person.sees("drawn")
        expect(page.get_by_test_id("plot-image")).to_be_visible(timeout=PATIENCE)
        page.get_by_test_id("new-document").click()
        page.get_by_test_id("editor").locator(".cm-content").click()
        page.keyboard.type("f <- function(x) x + 1")
        if options:
            assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        person.visit("/home")
        expect(page.locator("li.session .state")).to_have_text("Running", timeout=PATIENCE)
        page.get_by_role("button", name=re.compile("Sign out")).click()
        expect(page.locator("[name=password]")).to_be_visible()
        assert person.complaints == []
        ours = [each for each in answers if "/rpc/" not in each.url and "/graphics/" not in each.url]
        for answer in ours:
            fields = answer.headers
            assert "default-src 'none'" in fields["content-security-policy"], answer.url
            assert "frame-ancestors 'none'" in fields["content-security-policy"], answer.url
            assert (fields["x-frame-options"], fields["referrer-policy"]) == ("DENY", "same-origin"), answer.url
            assert "camera=()" in fields["permissions-policy"], answer.url
        if options:
            assert {fields["strict-transport-security"] for fields in (each.headers for each in ours)} == {
                "max-age=15552000"
            }
        nonces = {match[1] for answer in ours if (match := re.search("'nonce-([^']+)'", str(answer.headers)))}
        assert len(nonces) == 1

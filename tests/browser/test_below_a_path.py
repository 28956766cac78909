"""The server below a path of a proxy in front."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.running_server import running_server
from tests.system.test_networks import nginx_before

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

BELOW = """location /some/where/ { proxy_pass http://127.0.0.1:SERVER/; proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
  proxy_set_header Host inside; proxy_set_header X-Forwarded-For 203.0.113.5;
  proxy_set_header X-RStudio-Request $scheme://$http_host$request_uri;
  proxy_set_header X-RStudio-Root-Path /some/where; }
"""


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
def test_below_a_path_of_a_proxy_that_is_believed(chromium: Browser, alice: Account, tmp_path: Path) -> None:
    with (
        running_server(www_trusted_proxies="127.0.0.0/8") as server,
        nginx_before(server, tmp_path, BELOW) as port,
        Person(chromium, server) as person,
    ):
        person.page.goto(f"http://127.0.0.1:{port}/some/where/")
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        person.wait_for_prompt()
        assert person.page.url.startswith(f"http://127.0.0.1:{port}/some/where/s/")
        person.type_at_prompt("cat(Sys.getenv('RS_SERVER_URL'), rev(1:3))")
        person.sees(f"http://127.0.0.1:{port}/some/where/ 3 2 1")
        person.page.goto(f"http://127.0.0.1:{port}/some/where/home")
        person.page.get_by_role("link", name="R session").first.click()
        person.wait_for_prompt()
        assert '"address": "203.0.113.5"' in server.log
        assert person.complaints == []

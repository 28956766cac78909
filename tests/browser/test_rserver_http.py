"""The page behind the server's own nginx, while parts of the server die."""

import os
import shutil
import signal

import pytest
from playwright.sync_api import Browser

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.running_server import running_server
from tests.system.test_rserver_http import own_nginx

pytestmark = [
    pytest.mark.root,
    pytest.mark.r,
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)"),
]


def test_the_page_goes_on_when_parts_are_killed(chromium: Browser, alice: Account) -> None:
    options = {"server_http": "1", "ssl_enabled": "1"}
    with running_server(None, "", None, None, **options) as server, Person(chromium, server) as person:
        person.sign_in(alice)
        person.type_at_prompt("for (i in 1:40) { cat('tick', i, '\\n'); Sys.sleep(0.1) }")
        person.sees("tick 3")
        os.kill(server.pids("worker_main")[0], signal.SIGKILL)
        person.sees("tick 20")
        for pid in own_nginx(server):
            os.kill(pid, signal.SIGKILL)
        person.sees("tick 40")
        person.wait_for_prompt()
        lines = [line for line in person.console.splitlines() if line.startswith("tick")]
        assert [line.strip() for line in lines] == [f"tick {i}" for i in range(1, 41)]
        os.kill(server.master_pid, signal.SIGHUP)
        person.type_at_prompt("cat('after', 'all')")
        person.sees("after all")

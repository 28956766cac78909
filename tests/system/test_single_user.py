"""Without root the same server serves its own user, and nobody else on the machine."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

FETCH = """
import sys, urllib.request, urllib.error
try:
    answer = urllib.request.urlopen(sys.argv[1])
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.url, answer.read().decode())
"""
OPEN = re.compile(r"Open (http://\S+/auth-token\?token=\w+)")


@pytest.fixture
def own_server(alice: Account) -> Iterator[RunningServer]:
    """A server that alice started."""
    with running_server(account=alice) as running:
        yield running


def _fetch_as(account: Account, url: str) -> str:
    argv = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", sys.executable]
    return subprocess.run([*argv, "-c", FETCH, url], capture_output=True, text=True, check=True).stdout


def test_the_own_user_needs_no_sign_in(own_server: RunningServer, alice: Account) -> None:
    answer = _fetch_as(alice, f"http://127.0.0.1:{own_server.port}/")
    assert re.match(r"200 http://127\.0\.0\.1:\d+/s/[0-9a-f]{21}/ <!doctype html>", answer, re.IGNORECASE), answer[:300]


def test_r_runs_as_the_user_and_survives_a_restart_of_the_server(own_server: RunningServer, alice: Account) -> None:
    visitor = Visitor(own_server.port)
    first = visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert alice.name in visitor.run('Sys.info()[["user"]]')
    assert first["session"]["user"] == alice.name


def test_another_account_of_the_machine_is_refused(own_server: RunningServer, bob: Account) -> None:
    answer = _fetch_as(bob, f"http://127.0.0.1:{own_server.port}/")
    assert answer.startswith("403 ")


def test_the_printed_address_lets_in_and_a_wrong_token_does_not(own_server: RunningServer, bob: Account) -> None:
    url = own_server.wait_for_line(OPEN).group(1)
    assert _fetch_as(bob, url[:-1] + ("0" if url[-1] != "0" else "1")).startswith("403 ")
    assert own_server.log.count(url) == 1


def test_a_foreign_host_name_is_refused(own_server: RunningServer) -> None:
    rebound = {"Host": "attacker.example"}
    answer = Visitor(own_server.port).request("GET", "/", headers=rebound)
    assert (answer.status, answer.location) == (302, "/auth-sign-in?appUri=/")
    assert Visitor(own_server.port).request("GET", answer.location, headers=rebound).status == 403

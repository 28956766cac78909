"""Programs that people know, shown through the server."""

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.at_prompt import at_prompt
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

ECHO = """
import http.server, socket, sys
class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
class Echo(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        away = self.path.endswith("/away")
        self.send_response(302 if away else 200)
        if away: self.send_header("Location", self.path[:-4] + "there")
        self.send_header("Set-Cookie", "mine=1; Path=/; Domain=example.org")
        body = f"{self.path} {self.headers['X-Forwarded-Prefix']}".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = Server((sys.argv[1], 0), Echo)
print(server.server_port, flush=True)
server.serve_forever()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextlib.contextmanager
def running_as(who: Account, *argv: str) -> Iterator["subprocess.Popen[str]"]:
    """A program of that account, with its home as folder."""
    program = subprocess.Popen(
        argv,
        user=who.uid,
        group=who.gid,
        extra_groups=[],
        cwd=who.home,
        env={"HOME": str(who.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield program
    finally:
        program.kill()
        program.wait()
        assert program.stdout
        program.stdout.close()


@contextlib.contextmanager
def echoing_as(who: Account, address: str) -> Iterator[int]:
    with running_as(who, "/usr/bin/python3", "-c", ECHO, address) as program:
        assert program.stdout
        yield int(program.stdout.readline())


@pytest.fixture
def ann(server: RunningServer, alice: Account) -> Visitor:
    return at_prompt(server, alice)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_every_loopback_listener_is_found(ann: Visitor, alice: Account, address: str) -> None:
    with echoing_as(alice, address) as port:
        path = f"{ann.session_path}p/{port}"
        answer = ann.get(f"{path}/a?b")
        assert answer.body.decode() == f"/a?b {path}"
        assert answer.headers.get_all("Set-Cookie") == [f"mine=1; Path={path}/"]
        assert ann.get(f"{path}/away").location == f"{path}/there"


def test_a_program_that_was_told_its_path_sees_the_whole_of_it(ann: Visitor, alice: Account) -> None:
    with echoing_as(alice, "127.0.0.1") as port:
        path = f"{ann.session_path}absproxy/{port}"
        answer = ann.get(f"{path}/a?b")
        assert answer.body.decode() == f"{path}/a?b {path}"
        assert answer.headers.get_all("Set-Cookie") == [f"mine=1; Path={path}/"]
        assert ann.get(f"{path}/away").location == f"{path}/there"
        assert ann.get(path).location == f"{path}/"


def test_that_path_is_for_ones_own_programs_too(ann: Visitor, bob: Account) -> None:
    with echoing_as(bob, "127.0.0.1") as theirs:
        assert ann.get(f"{ann.session_path}absproxy/{theirs}/").status == 403


@pytest.mark.skipif(not Path("/usr/lib/R/site-library/plumber").exists(), reason="needs r-cran-plumber")
def test_an_api_of_plumber(ann: Visitor) -> None:
    port = free_port()
    code = (
        "library(plumber); api <- pr_get(pr(), '/hello', function(who = '') list(hello = who)); "
        "api <- pr_post(api, '/sum', function(req) sum(unlist(req$body))); "
        f"pr_run(api, port = {port}L, docs = FALSE, quiet = TRUE)"
    )
    ann.rpc("console_input", code, "")
    path = f"{ann.session_path}p/{port}"
    wait_until(lambda: ann.get(f"{path}/hello").status == 200)
    assert ann.get(f"{path}/hello?who=R%2FS").json() == {"hello": ["R/S"]}
    body = json.dumps([1, 2, 3.5]).encode()
    assert ann.request("POST", f"{path}/sum", body, {"Content-Type": "application/json"}).json() == [6.5]
    assert ann.get(f"{path}/nowhere").status == 404

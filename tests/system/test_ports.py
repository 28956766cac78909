"""Programs on local ports, reached through the server."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.at_prompt import at_prompt
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

APP = """
heard <- function(req) paste(req$REQUEST_METHOD, req$PATH_INFO, req$QUERY_STRING, req$HTTP_COOKIE, req$HTTP_X_RS_USER,
  req$HTTP_X_FORWARDED_PREFIX, rawToChar(req$rook.input$read()), sep = "|");
away <- list(status = 302L, headers = list(Location = "/there?x=1"), body = "");
fields <- list("Content-Type" = "text/plain", "Set-Cookie" = "mine=1; Path=/");
fine <- function(req) list(status = 200L, headers = fields, body = heard(req));
answer <- function(req) if (req$PATH_INFO == "/away") away else fine(req);
shout <- function(ws) ws$onMessage(function(binary, message) ws$send(toupper(message)));
invisible(httpuv::startServer("127.0.0.1", PORT, list(call = answer, onWSOpen = shout))); cat("up")
"""


@pytest.fixture
def ann(server: RunningServer, alice: Account) -> Visitor:
    """Somebody at the prompt."""
    return at_prompt(server, alice)


@pytest.fixture
def app(ann: Visitor) -> str:
    """The path of an app in ann's session."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    assert "up" in ann.run(" ".join(APP.replace("PORT", f"{port}L").split()))
    return f"{ann.session_path}p/{port}"


def test_an_app_sees_its_own_path_and_nothing_of_ours(ann: Visitor, app: str) -> None:
    ann.cookies["theirs"] = "5"
    answer = ann.get(f"{app}/a%20b?c=d")
    assert answer.body.decode() == f"GET|/a%20b|?c=d|theirs=5||{app}|"
    assert answer.headers.get_all("Set-Cookie") == [f"mine=1; Path={app}/"]
    assert ann.get(f"{app}/away").location == f"{app}/there?x=1"
    assert ann.get(app).location == f"{app}/"


def test_forms_of_an_app_need_no_token_of_ours(ann: Visitor, app: str) -> None:
    body = b"x" * 300_000
    answer = ann.request("POST", f"{app}/form", body)
    assert answer.status == 200
    assert answer.body.endswith(body)


def test_websockets(ann: Visitor, app: str) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
    with socket.create_connection(("127.0.0.1", ann.port), 20) as stream:
        stream.sendall(
            f"GET {app}/ws HTTP/1.1\r\nHost: 127.0.0.1:{ann.port}\r\nOrigin: http://127.0.0.1:{ann.port}\r\n"
            f"Cookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert stream.recv(4096).startswith(b"HTTP/1.1 101 ")
        stream.sendall(b"\x81\x85\0\0\0\0hello")
        assert stream.recv(4096) == b"\x81\x05HELLO"


def test_r_offers_the_address_from_outside(ann: Visitor) -> None:
    ann.rpc("console_input", "browseURL('http://127.0.0.1:4321/x?y')", "")
    said = ann.wait_for(lambda event: event["type"] == "show_message")[-1]["data"]
    assert said["url"] == f"{ann.session_path}p/4321/x?y"
    ann.rpc("console_input", "browseURL('https://example.org/')", "")
    assert ann.wait_for(lambda event: event["type"] == "show_message")[-1]["data"]["url"] == "https://example.org/"


@contextlib.contextmanager
def listening_as(who: Account, address: str) -> Iterator[int]:
    """A web server of that account."""
    code = "import http.server as h, sys; s = h.HTTPServer((sys.argv[1], 0), h.SimpleHTTPRequestHandler); "
    code += "print(s.server_port, flush=True); s.serve_forever()"
    argv = ["/usr/bin/python3", "-c", code, address]
    program = subprocess.Popen(
        argv,
        user=who.uid,
        group=who.gid,
        extra_groups=[],
        cwd="/tmp",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert program.stdout
    try:
        yield int(program.stdout.readline())
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_programs_of_others_are_refused(ann: Visitor, alice: Account, bob: Account, address: str) -> None:
    with listening_as(bob, address) as theirs, listening_as(alice, address) as own:
        assert ann.get(f"{ann.session_path}p/{own}/").status == 200
        refused = ann.get(f"{ann.session_path}p/{theirs}/")
        assert refused.status == 403
        assert b"is not yours" in refused.body
        stranger = Visitor(ann.port)
        stranger.sign_in(bob.name, bob.password)
        assert stranger.get(f"{ann.session_path}p/{theirs}/").status == 404
        assert Visitor(ann.port).get(f"{ann.session_path}p/{own}/").status in {302, 401}


@pytest.mark.parametrize("port", ["1", "0", "65536", "99999999", "x", "-1", "3838x", ""])
def test_ports_that_are_none(ann: Visitor, port: str) -> None:
    assert ann.get(f"{ann.session_path}p/{port}/").status == 404


def test_a_port_where_nothing_listens_is_told_so(ann: Visitor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = ann.get(f"{ann.session_path}p/{port}/", {"Sec-Fetch-Mode": "navigate"})
    assert page.status == 404
    assert f"Nothing listens on port {port} of this machine." in page.body.decode()


def test_the_servers_own_ports_are_refused(ann: Visitor) -> None:
    assert ann.get(f"{ann.session_path}p/{ann.port}/").status == 403


def test_a_program_that_ends_in_the_middle(ann: Visitor, alice: Account) -> None:
    with listening_as(alice, "127.0.0.1") as port:
        assert ann.get(f"{ann.session_path}p/{port}/").status == 200
    wait_until(lambda: ann.get(f"{ann.session_path}p/{port}/").status == 404)

"""The server behind nginx, Apache, HAProxy, Caddy and Traefik, configured as docs/how-to/behind-a-proxy.md says."""

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system import sink
from tests.system.accounts import Account, account
from tests.system.distant_visitor import DistantVisitor
from tests.system.reverse_proxies import PACKAGES, Proxy, running_proxy, server_options, taken, unchanged
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r]

GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Place:
    """A server, the proxy in front of it, and somebody with an account."""

    server: RunningServer
    proxy: Proxy
    owner: Account
    kept: bool

    def visitor(self) -> DistantVisitor:
        """Somebody who is not signed in."""
        return DistantVisitor(self.server.port, proxy=self.proxy)

    def at_prompt(self) -> DistantVisitor:
        """The owner at the prompt of the one session."""
        visitor = self.visitor()
        visitor.sign_in(self.owner.name, self.owner.password)
        visitor.open_session()
        visitor.seen = 0
        visitor.wait_for_prompt()
        return visitor


def needs(name: str) -> pytest.MarkDecorator:
    """Skipped where the proxy is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name} ({PACKAGES[name]})")


FRONTS = [
    pytest.param((name, kept), id=f"{name}-{'kept' if kept else 'taken'}", marks=[needs(name), *marks])
    for name, kept, marks in [
        ("nginx", True, []),
        ("nginx", False, [pytest.mark.slow]),
        ("apache2", True, []),
        ("apache2", False, []),
        ("haproxy", True, []),
        ("haproxy", False, [pytest.mark.slow]),
        ("caddy", True, [pytest.mark.slow]),
        ("traefik", True, [pytest.mark.slow]),
    ]
]


@pytest.fixture(scope="module", params=FRONTS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    name, kept = request.param
    options = server_options() if kept else server_options("## When the proxy takes the path away")
    change = unchanged if kept else taken(name)
    with (
        account() as owner,
        running_server(None, "", None, None, **options) as server,
        running_proxy(name, server.port, change) as proxy,
    ):
        yield Place(server, proxy, owner, kept)


def test_sign_in_redirects_cookies_and_sign_out(place: Place) -> None:
    visitor, path = place.visitor(), place.proxy.path
    assert visitor.get("/").location == f"{path}/auth-sign-in?appUri={path}/"
    page = visitor.get("/auth-sign-in")
    assert f'action="{path}/auth-do-sign-in"' in page.body.decode()
    wanted = f"{path}/home?x=1"
    answer = visitor.sign_in(place.owner.name, place.owner.password, wanted)
    assert answer.location == wanted
    cookies = answer.headers.get_all("Set-Cookie") or []
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"user-id", "rs-csrf-token"}
    for cookie in cookies:
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert attributes >= {f"Path={path}/", "Secure", "SameSite=Lax"}, cookie
    assert next("HttpOnly" in cookie for cookie in cookies if cookie.startswith("user-id="))
    place.server.wait_for_line(re.compile(r'"address": "127\.0\.0\.1"'))
    assert visitor.get(wanted).status == 200
    copied = dict(visitor.cookies)
    assert visitor.post_form("/auth-sign-out").location == f"{path}/auth-sign-in"
    visitor.cookies = copied
    assert visitor.get("/home").location.startswith(f"{path}/auth-sign-in")


def test_the_path_without_a_slash_leads_there(place: Place) -> None:
    visitor = place.visitor()
    with visitor.connect() as stream:
        stream.sendall(f"GET {place.proxy.path} HTTP/1.1\r\nHost: {visitor.host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: stream.recv(65536), b"")).decode()
    assert re.match(r"HTTP/1.1 30[12] ", answer)
    assert re.search(
        # What passes it on leaves the redirect to the server, which goes on to the sign-in.
        rf"^location: (https://{re.escape(visitor.host)})?{place.proxy.path}/(auth-sign-in\?.*)?\r$",
        answer,
        re.IGNORECASE | re.MULTILINE,
    )


def test_console_events_and_websocket(place: Place) -> None:
    visitor = place.at_prompt()
    assert visitor.run("cat(rev(1:3))").startswith("3 2 1")
    assert visitor.greeted() == place.proxy.url
    path = f"{visitor.session_path}events?clientId={visitor.client_id}&after={visitor.seen}"
    with visitor.websocket(path) as stream:
        visitor.rpc("console_input", "cat('through', 'the', 'socket')", "")
        text = b""
        while b"through the socket" not in text:
            piece = stream.recv(65536)
            assert piece
            text += piece


def test_a_long_poll_brings_output_at_once(place: Place) -> None:
    visitor = place.at_prompt()
    visitor.rpc("console_input", "for (i in 1:3) { cat('line', i, '\\n'); Sys.sleep(0.4) }", "")
    begun = time.monotonic()
    visitor.wait_for(lambda event: "line 1" in str(event["data"]))
    assert time.monotonic() - begun < 5
    visitor.wait_for_prompt()


@pytest.fixture
def drain(place: Place) -> Iterator[int]:
    with sink.listening_as(place.owner) as port:
        yield port


def _worker_peak(place: Place) -> int:
    (pid,) = place.server.pids("worker_main.py")
    return next(
        int(line.split()[1]) * 1024
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


def _begin_peak(place: Place) -> int:
    (pid,) = place.server.pids("worker_main.py")
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _worker_peak(place)


def _carry(place: Place, drain: int, size: int) -> None:
    """So much up and down through proxy and server, with whole contents and flat memory."""
    visitor = place.at_prompt()
    path = f"{visitor.session_path}p/{drain}"
    before = _begin_peak(place)
    assert sink.upload(visitor, path, size) == size
    assert sink.download(visitor, path, size) == size
    assert _worker_peak(place) - before < 24 << 20


def test_a_big_file_up_and_down(place: Place, drain: int) -> None:
    _carry(place, drain, GIGABYTE if place.kept else GIGABYTE // 16)


@pytest.mark.slow
def test_ten_gigabytes_up_and_down(place: Place, drain: int) -> None:
    _carry(place, drain, 10 * GIGABYTE)


def test_addresses_with_encoded_slashes_arrive_as_they_are(place: Place, drain: int) -> None:
    visitor = place.at_prompt()
    path = f"{visitor.session_path}p/{drain}/echo/a%2Fb%20c?d=%2Fe"
    assert visitor.get(path).body.decode() == "/echo/a%2Fb%20c?d=%2Fe"


def test_events_of_a_program_arrive_one_by_one(place: Place, drain: int) -> None:
    visitor = place.at_prompt()
    with visitor.connect() as stream:
        stream.sendall(
            f"GET {visitor.session_path}p/{drain}/events HTTP/1.1\r\nHost: {visitor.host}\r\n"
            f"Cookie: {visitor.cookie_line}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
        text = b""
        while b"data: 1" not in text:
            piece = stream.recv(65536)
            assert piece
            text += piece
        assert b"data: 8" not in text


APP = """
library(shiny);
ui <- fluidPage(textInput("name", "Name", "nobody"), textOutput("greeting"));
server <- function(input, output) output$greeting <- renderText(paste0("Hello, ", input$name, "!"));
runApp(shinyApp(ui, server), port = PORT, launch.browser = FALSE)
"""


def shiny_port(visitor: DistantVisitor) -> int:
    """A Shiny app that runs in the session."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    visitor.rpc("console_input", " ".join(APP.replace("PORT", f"{port}L").split()), "")
    visitor.wait_for(lambda event: f"http://127.0.0.1:{port}" in str(event["data"]))
    # Shiny says so just before it does.
    wait_until(lambda: visitor.get(f"{visitor.session_path}p/{port}/").status == 200)
    return port


def end_app(visitor: DistantVisitor) -> None:
    """Interrupt until R asks again: an interrupt within a callback ends that callback only."""
    for _ in range(10):
        visitor.rpc("interrupt")
        if any(event["type"] == "console_prompt" for event in visitor.events(3)):
            return
    raise AssertionError("the app goes on")


@pytest.mark.skipif(not Path("/usr/lib/R/site-library/shiny").exists(), reason="needs r-cran-shiny")
def test_a_shiny_app(place: Place) -> None:
    visitor = place.at_prompt()
    port = shiny_port(visitor)
    path = f"{visitor.session_path}p/{port}"
    assert b"shiny-text-output" in visitor.get(f"{path}/").body
    assert visitor.get(path).location == f"{path}/"
    with visitor.websocket(f"{path}/websocket/") as stream:
        assert b'"config"' in stream.recv(65536)
    end_app(visitor)


def test_a_sign_out_ends_what_is_open(place: Place) -> None:
    visitor = place.at_prompt()
    path = f"{visitor.session_path}events?clientId={visitor.client_id}&after={visitor.seen}"
    with visitor.websocket(path) as stream:
        ended = threading.Event()

        def read() -> None:
            while stream.recv(65536):
                continue
            ended.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        visitor.post_form("/auth-sign-out")
        wait_until(ended.is_set)
        reader.join()

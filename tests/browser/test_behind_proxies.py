"""The page behind real reverse proxies, configured as docs/how-to/behind-a-proxy.md says."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.reverse_proxies import Change, Proxy, running_proxy, server_options, unchanged
from tests.system.running_server import running_server
from tests.system.test_behind_proxies import needs

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

PROXIES = [pytest.param(name, marks=needs(name)) for name in ("nginx", "apache2", "haproxy", "caddy")]
SHINY = pytest.mark.skipif(not Path("/usr/lib/R/site-library/shiny").exists(), reason="needs r-cran-shiny")
APP = (
    "shiny::runApp(shiny::shinyApp(shiny::fluidPage(shiny::textInput('who', 'Who'), shiny::textOutput('said')), "
    "function(input, output) output$said <- shiny::renderText(paste0('Hello, ', input$who, '!'))), port = {port})"
)


class Distant(Person):
    """Somebody in front of the proxy."""

    proxy: Proxy

    def visit(self, path: str = "/") -> None:
        """Type an address below the proxy's path."""
        self.page.goto(self.proxy.url.rstrip("/") + path)


@contextmanager
def somebody(chromium: Browser, name: str, change: Change = unchanged, **more: str) -> Iterator[Distant]:
    """A window in front of such a proxy."""
    with (
        running_server(None, "", None, None, **server_options(), **more) as server,
        running_proxy(name, server.port, change) as proxy,
    ):
        person = Distant(chromium, server)
        person.proxy = proxy
        with person:
            yield person


@pytest.mark.parametrize("name", PROXIES)
def test_console_reload_and_sign_out(chromium: Browser, alice: Account, name: str) -> None:
    with somebody(chromium, name) as person:
        opened: list[WebSocket] = []
        person.page.on("websocket", lambda socket: opened.append(socket))
        person.sign_in(alice)
        person.type_at_prompt("cat(rev(1:3), Sys.getenv('RS_SERVER_URL'))")
        person.sees(f"3 2 1 {person.proxy.url}")
        assert [socket.url.partition("/s/")[0] for socket in opened] == [person.proxy.url[:-1].replace("http", "ws")]
        assert all(cookie["secure"] and cookie["path"] == "/r/" for cookie in person.page.context.cookies())
        person.page.reload()
        person.wait_for_prompt()
        person.sees("3 2 1")
        person.visit("/home")
        person.page.get_by_role("button", name="Sign out").click()
        expect(person.page.locator("[name=password]")).to_be_visible()
        assert person.page.url.startswith(f"{person.proxy.url}auth-sign-in")
        assert person.complaints == []


@SHINY
@pytest.mark.parametrize("name", PROXIES)
def test_a_shiny_app_answers(chromium: Browser, alice: Account, name: str) -> None:
    with somebody(chromium, name) as person, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        person.sign_in(alice)
        session = person.page.url
        person.type_at_prompt(APP.format(port=port))
        person.sees(f"Listening on http://127.0.0.1:{port}")
        person.page.goto(f"{session}p/{port}/")
        person.page.get_by_label("Who").fill("world")
        expect(person.page.locator("#said")).to_have_text("Hello, world!")
        # The browser asks for /favicon.ico, which is not below the path.
        assert [complaint for complaint in person.complaints if "Failed to load" not in complaint] == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
def test_without_websockets_output_comes_by_polls(chromium: Browser, alice: Account) -> None:
    def blocked(text: str) -> str:
        return text.replace("proxy_set_header Upgrade", "# proxy_set_header Upgrade")

    with somebody(chromium, "nginx", blocked) as person:
        person.sign_in(alice)
        person.type_at_prompt("for (i in 1:3) { cat('line', i, '\\n'); Sys.sleep(0.3) }")
        person.sees("line 3")
        person.wait_for_prompt()
        person.page.reload()
        person.sees("line 3")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
def test_an_administrator_has_the_server_look_at_itself(chromium: Browser, alice: Account) -> None:
    def broken(text: str) -> str:
        return text.replace("proxy_set_header X-Forwarded-Proto", "# proxy_set_header X-Forwarded-Proto")

    with somebody(chromium, "nginx", broken, admin_group=alice.name) as person:
        # The name leads to this machine in the browser only.
        person.visit("/auth-sign-in")
        port = person.proxy.port
        person.page.goto(f"https://127.0.0.1:{port}/r/auth-sign-in")
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        person.wait_for_prompt()
        person.page.goto(f"https://127.0.0.1:{port}/r/admin/diagnose")
        person.page.get_by_role("button", name="Look now").click()
        expect(person.page.get_by_text("The server does not learn that people come over HTTPS")).to_be_visible(
            timeout=90_000
        )
        expect(person.page.get_by_role("heading", name=f"https://127.0.0.1:{port}/r/")).to_be_visible()
        expect(person.page.get_by_text("proxy_set_header X-Forwarded-Proto $scheme;")).to_be_visible()
        assert person.complaints == []

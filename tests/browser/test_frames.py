"""Who may show our pages inside a page of their own."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person
from tests.system.running_server import running_server

pytestmark = [pytest.mark.root, pytest.mark.browser]


class _Portal(http.server.BaseHTTPRequestHandler):
    """A page with a frame of the address behind `?`."""

    def do_GET(self) -> None:
        body = f"<!DOCTYPE html><title>portal</title><iframe src='{self.path.partition('?')[2]}'></iframe>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def portal() -> Iterator[str]:
    """The origin of another site."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("allowed", [False, True])
def test_a_foreign_page_shows_us_only_when_it_may(chromium: Browser, portal: str, allowed: bool) -> None:
    options = {"www_frame_origin": portal} if allowed else {}
    with running_server(None, "", None, None, **options) as server, Person(chromium, server) as person:
        person.page.goto(f"{portal}/?http://127.0.0.1:{server.port}/auth-sign-in")
        frame = person.page.frame_locator("iframe")
        if allowed:
            expect(frame.locator("[name=password]")).to_be_visible()
        else:
            person.page.wait_for_function("document.readyState === 'complete'")
            expect(frame.locator("[name=password]")).to_have_count(0)
            assert any("frame-ancestors" in complaint for complaint in person.complaints)

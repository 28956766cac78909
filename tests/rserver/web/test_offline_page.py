import json
from dataclasses import dataclass

import pytest

from rserver.web.offline_page import OfflinePage
from rserver.web.request import RequestHead, Response
from rserver.web.templates import Templates
from tests.rserver.web.test_responses import head


@dataclass
class Notice:
    message: str | None


def answer(head: RequestHead, message: str = "") -> Response:
    found = OfflinePage(Notice(message), Templates()).answer(head)
    assert found
    assert found.status == 503
    assert ("Retry-After", "30") in found.headers
    return found


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/auth-do-sign-in"), ("GET", "/nonsense")])
def test_pages(method: str, path: str) -> None:
    found = answer(head(method, path, root="/r"), "Back at <14:00>.")
    assert b"Back at &lt;14:00&gt;." in found.body
    assert b'href="/r/static/pages.css"' in found.body


@pytest.mark.parametrize("path", [f"/s/{'a' * 21}/rpc/get_events", f"/s/{'a' * 21}/events", "/api/sessions"])
def test_programs_get_code_13(path: str) -> None:
    found = answer(head("POST", path), "Back at 14:00.")
    assert json.loads(found.body)["error"] == {"code": 13, "message": "The server is offline. Back at 14:00."}


def test_the_page_of_a_session_is_a_page() -> None:
    found = answer(head("GET", f"/s/{'a' * 21}/", accept="text/html"))
    assert b"R sessions go on running" in found.body


def test_load_balancers_are_told() -> None:
    found = answer(head("GET", "/health-check"))
    assert found.body == b"offline\n"


def test_nothing_while_it_is_online() -> None:
    assert OfflinePage(Notice(None), Templates()).answer(head("GET", "/")) is None

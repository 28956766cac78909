"""Requests of foreign pages."""

import pytest

from rserver.proxy.origin_policy import origin_matches, token_matches
from rserver.web.request import RequestHead


def head(method: str = "GET", cookie: str | None = None, **headers: str) -> RequestHead:
    """A request with these fields."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    cookies = {} if cookie is None else {"rs-csrf-token": cookie}
    return RequestHead(method, "/", "", named, cookies, ("", 0))


@pytest.mark.parametrize(
    ("method", "cookie", "token", "matches"),
    [
        ("GET", None, "", True),
        ("HEAD", None, "", True),
        ("OPTIONS", None, "", True),
        ("POST", "abc", "abc", True),
        ("POST", "abc", "abd", False),
        ("POST", "abc", "", False),
        ("POST", "", "", False),
        ("POST", None, "", False),
        ("POST", None, "abc", False),
        ("POST", "\xe9", "\xe9", True),
        ("get", None, "", False),
        ("PROPFIND", None, "", False),
        *((method, "abc", "x", False) for method in ("PUT", "PATCH", "DELETE")),
    ],
)
def test_token(method: str, cookie: str | None, token: str, matches: bool) -> None:
    assert token_matches(head(method, cookie, x_rs_csrf_token=token)) is matches


@pytest.mark.parametrize(
    ("origin", "host", "forwarded", "matches"),
    [
        ("http://here:8787", "here:8787", "", True),
        ("https://HERE", "here", "", True),
        ("https://outside", "inside:8787", "outside", True),
        ("http://here:8788", "here:8787", "", False),
        ("http://here.evil", "here", "", False),
        ("http://evil", "here", "", False),
        ("http://evil/here", "here", "", False),
        ("null", "null", "", False),
        ("http://", "here", "", False),
        ("", "here", "", False),
    ],
)
def test_origin(origin: str, host: str, forwarded: str, matches: bool) -> None:
    assert origin_matches(head(origin=origin, host=host, x_forwarded_host=forwarded)) is matches

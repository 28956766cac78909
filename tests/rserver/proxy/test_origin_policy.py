"""Requests of foreign pages."""

import pytest

from rserver.proxy.origin_policy import OriginPolicy, token_matches
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
    assert OriginPolicy().allows_socket(head(origin=origin, host=host, x_forwarded_host=forwarded)) is matches


@pytest.mark.parametrize(
    ("pattern", "origin", "matches"),
    [
        ("portal.example.org", "https://portal.example.org", True),
        ("portal.example.org", "http://portal.example.org:8443", True),
        ("portal.example.org:8443", "https://portal.example.org", False),
        ("https://portal.example.org", "http://portal.example.org", False),
        ("*.example.org", "https://a.b.example.org", True),
        ("*.example.org", "https://example.org", False),
        ("*.example.org", "https://example.org.evil", False),
        ("*.example.org", "https://evil/.example.org", False),
        ("*.example.org", "https://evil#.example.org", False),
        ("*.example.org", "https://evil@x.example.org", False),
        ("a.example.org", "https://axexample.org", False),
        ("localhost:*", "http://localhost:3000", True),
        ("[::1]:*", "http://[::1]:3000", True),
        ("*", "https://anywhere", True),
        ("*", "null", False),
    ],
)
def test_origins_that_are_allowed(pattern: str, origin: str, matches: bool) -> None:
    policy = OriginPolicy([pattern])
    assert policy.allows_socket(head(origin=origin, host="here")) is matches
    assert not OriginPolicy().allows_socket(head(origin=origin, host="here"))


@pytest.mark.parametrize(
    ("method", "fields", "allowed"),
    [
        ("POST", {"origin": "http://here"}, True),
        ("POST", {"origin": "http://evil"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"referer": "http://here/page?a=b"}, True),
        ("POST", {"referer": "http://evil/here"}, False),
        ("POST", {"referer": "http://here.evil/"}, False),
        ("POST", {"origin": "http://evil", "referer": "http://here/"}, False),
        ("POST", {}, True),
        ("DELETE", {"origin": "http://evil"}, False),
        ("GET", {"origin": "http://evil"}, True),
    ],
)
def test_requests_of_other_pages(method: str, fields: dict[str, str], allowed: bool) -> None:
    asked = head(method, host="here", **fields)
    assert OriginPolicy(checks_requests=True).allows_request(asked) is allowed
    assert OriginPolicy().allows_request(asked)

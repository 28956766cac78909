"""Answers and their bytes."""

import json
from collections.abc import Callable

import pytest

from rserver.web import responses
from rserver.web.request import Authentication, RequestHead, Response, Target


def head(method: str = "GET", path: str = "/", query: str = "", root: str = "", **headers: str) -> RequestHead:
    """A request with these fields."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestHead(method, path, query, named, {}, ("", 0), root_path=root)


def lines(response: Response, frame_origin: str = "none", **more: object) -> list[str]:
    """Lines of the head, without the date."""
    data = responses.ResponseEncoder(frame_origin).encode(response, **more)  # type: ignore[arg-type]
    found = data.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    assert sum(line.startswith("Date: ") for line in found) == 1
    return [line for line in found if not line.startswith("Date: ")]


def test_page_has_every_security_header() -> None:
    assert lines(responses.html("<p>é"), keep_alive=True) == [
        "HTTP/1.1 200 OK",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: 5",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: same-origin",
        "Cross-Origin-Opener-Policy: same-origin",
        "Permissions-Policy: camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), "
        "payment=(), serial=(), usb=()",
        "X-Frame-Options: DENY",
    ]


def test_header_of_the_administrator_replaces_ours() -> None:
    encoder = responses.ResponseEncoder("none", ("referrer-policy: no-referrer", "X-Mine: a"))
    head = encoder.encode(responses.html("")).decode("latin-1")
    assert "referrer-policy: no-referrer\r\nX-Mine: a\r\n" in head
    assert "Referrer-Policy" not in head


@pytest.mark.parametrize(
    ("origin", "ancestors", "option"),
    [
        ("none", "frame-ancestors 'none'", ["X-Frame-Options: DENY"]),
        ("same", "frame-ancestors 'self'", ["X-Frame-Options: SAMEORIGIN"]),
        ("any", "frame-ancestors *", []),
        ("https://portal", "frame-ancestors https://portal", []),
    ],
)
@pytest.mark.parametrize("csp", ["default-src 'none'", "frame-ancestors 'none'; default-src 'none'"])
def test_frames_follow_the_option(csp: str, origin: str, ancestors: str, option: list[str]) -> None:
    found = lines(Response(csp=csp), origin)
    assert f"Content-Security-Policy: default-src 'none'; {ancestors}" in found
    assert [line for line in found if line.startswith("X-Frame")] == option


def test_head_has_no_body_but_its_length() -> None:
    data = responses.ResponseEncoder().encode(responses.plain("abc"), method="HEAD")
    assert data.endswith(b"\r\n\r\n")
    assert b"Content-Length: 3\r\n" in data


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_status_has_no_length(status: int) -> None:
    assert not any(line.startswith("Content-Length") for line in lines(Response(status)))


def test_cookie_of_the_page_wins_over_the_gate() -> None:
    found = lines(responses.html("", cookies=("a=mine",)), cookies=("a=gate", "b=gate"))
    assert [line for line in found if line.startswith("Set-Cookie")] == ["Set-Cookie: a=mine", "Set-Cookie: b=gate"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: responses.redirect("/a\r\nSet-Cookie: x=y"),
        lambda: responses.redirect("/\u20ac"),
        lambda: Response(headers=(("A\nB", "c"),)),
        lambda: Response(cookies=("a=\0",)),
        lambda: Response(content_type="a\rb"),
        lambda: Authentication(None, ("a\nb",)),
        lambda: Target("/socket", 0, (("X-RS-User", "a\r\nX-RS-User: root"),)),
    ],
)
def test_header_injection_is_an_error(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="not fit for a header"):
        make()


def test_connection_close_is_said() -> None:
    assert "Connection: close" in lines(Response())
    assert "Connection: close" not in lines(Response(), keep_alive=True)


def test_rpc_error() -> None:
    response = responses.rpc_error(21, "failed", session={"state": "failed"})
    assert response.status == 503
    assert json.loads(response.body) == {
        "error": {"code": 21, "message": "failed", "session": {"state": "failed"}},
    }


def test_sign_in_redirect_keeps_the_whole_address() -> None:
    response = responses.sign_in_redirect(head(path="/s/x/a%20b", query="c=d&e", root="/r"))
    assert response.headers == (("Location", "/r/auth-sign-in?appUri=/r/s/x/a%2520b%3Fc%3Dd%26e"),)


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        (head(sec_fetch_mode="navigate"), True),
        (head("HEAD", sec_fetch_mode="navigate"), True),
        (head(accept="text/html,*/*"), True),
        (head(accept="text/html", sec_fetch_mode="cors"), False),
        (head(accept="*/*"), False),
        (head(), False),
        (head("POST", accept="text/html"), False),
        (head(path="/s/x/rpc/y", accept="text/html"), False),
        (head(path="/api/sessions", accept="text/html"), False),
    ],
)
def test_who_wants_a_page(asked: RequestHead, page: bool) -> None:
    assert responses.wants_page(asked) is page

"""What passes between client and session, and what does not."""

import pytest

from rserver.proxy import forward
from rserver.proxy.http_head import parse_request, parse_response
from rserver.web.request import RequestHead


def upstream(*fields: str, method: str = "GET") -> list[str]:
    """Lines of the head that a session gets for these fields."""
    block = "\r\n".join([f"{method} /s/x/y?z HTTP/1.1", "Host: here", *fields, "", ""])
    out = forward.request_head(parse_request(block.encode("latin-1")), "/y?z", b"X-RS-User: me\r\n")
    return out.decode("latin-1").split("\r\n")


def downstream(*fields: str) -> list[str]:
    """Lines of the head that a client gets for these fields."""
    block = "\r\n".join(["HTTP/1.1 200 Fine", *fields, "", ""])
    out = forward.response_head(parse_response(block.encode("latin-1")), "framing: ours\r\n", ("renewed=1",))
    return out.decode("latin-1").split("\r\n")


def test_request_head_is_rewritten() -> None:
    assert upstream("Accept: a", "X-Odd: \xe9") == [
        "GET /y?z HTTP/1.1",
        "host: here",
        "accept: a",
        "x-odd: \xe9",
        "X-RS-User: me",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "field",
    [
        "Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: x",
        "Proxy-Connection: x",
        "Proxy-Anything: x",
        "TE: trailers",
        "Trailer: x",
        "Upgrade: websocket",
        "Expect: 100-continue",
        "X-RS-User: root",
        "x-rs-user: root",
        "X-RS-Base-Path: /",
        "X-RStudio-Request: x",
        "X-RStudio-Root-Path: /",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Anything: x",
        "Forwarded: for=1.2.3.4",
        "X-Real-IP: 1.2.3.4",
        "X_RS_User: root",
        "Any_Thing: x",
        "X.RS.User: root",
        "X|RS-User: root",
        "Proxy: http://evil",
    ],
)
def test_fields_that_do_not_reach_a_session(field: str) -> None:
    assert upstream(field) == upstream()


def test_fields_named_by_connection_are_dropped_but_not_the_vital_ones() -> None:
    lines = upstream(
        "Connection: close, X-Private, Host, Cookie, Content-Length, X-RS-User, Content-Type, Origin",
        "X-Private: 1",
        "Cookie: a=1",
        "Content-Length: 3",
        "Content-Type: t",
        "Origin: o",
        method="POST",
    )
    assert lines[1:-2] == [
        "host: here",
        "content-type: t",
        "origin: o",
        "content-length: 3",
        "cookie: a=1",
        "X-RS-User: me",
    ]


def test_upgrade_is_asked_for_anew() -> None:
    lines = upstream("Connection: Upgrade, Sec-WebSocket-Key", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13")
    assert lines[1:-3] == ["host: here", "sec-websocket-version: 13", "connection: Upgrade", "upgrade: websocket"]


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("user-id=secret", []),
        ("a=1; user-id=secret; b=2", ["cookie: a=1; b=2"]),
        ("USER-ID=x; rs-csrf-token=y; persist-auth=1; port-token=z; csrf-token=1; user-list-id=1;", []),
        (" user-id =secret;;a=1", ["cookie: a=1"]),
        ("user-id", []),
        ("my-user-id=1", ["cookie: my-user-id=1"]),
        ("\xa0user-id=1", ["cookie: \xa0user-id=1"]),
    ],
)
def test_own_cookies_stay_here(cookie: str, kept: list[str]) -> None:
    assert upstream(f"Cookie: {cookie}")[2:-3] == kept


def test_own_cookies_stay_here_when_spread_over_fields() -> None:
    assert upstream("Cookie: user-id=1", "Cookie: a=1; user-id=2")[2:-3] == ["cookie: a=1"]


def test_answer_head_is_rewritten() -> None:
    lines = downstream(
        "Content-Type: t",
        "Connection: X-Private, Set-Cookie",
        "X-Private: 1",
        "Transfer-Encoding: chunked",
        "Keep-Alive: x",
        "Trailer: x",
        "Set-Cookie: theirs=1; Path=/",
        "Set-Cookie: user-id=stolen",
        "Set-Cookie:  RS-CSRF-Token =stolen",
        "Set-Cookie: port-token=stolen; Path=/",
    )
    assert lines == [
        "HTTP/1.1 200 Fine",
        "content-type: t",
        "set-cookie: theirs=1; Path=/",
        "set-cookie: renewed=1",
        "framing: ours",
        "",
        "",
    ]


def test_own_lines() -> None:
    head = RequestHead("GET", "/", "", {}, {}, ("1.2.3.4", 5), True, "example.org", "/r")
    assert forward.own_lines(head, "sid").decode().split("\r\n") == [
        "X-RS-Base-Path: /r/s/sid/",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: example.org",
        "",
    ]


def test_first_cookie_of_a_name_counts() -> None:
    assert forward.parse_cookies("a=1; b = 2 ;a=3;; c; d=e=f") == {"a": "1", "b": "2", "d": "e=f"}


def test_other_blanks_than_space_and_tab_belong_to_a_name() -> None:
    assert forward.parse_cookies("\xa0a=1;\x85a=2; a=3") == {"\xa0a": "1", "\x85a": "2", "a": "3"}

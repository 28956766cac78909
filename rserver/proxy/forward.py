"""Rewriting of heads between client and session. Pure.

Upstream goes what the client asked for, without hop-by-hop fields, our cookies and anything that only we may say;
downstream what the session answered, without hop-by-hop fields and cookies of our names.
"""

from functools import lru_cache

from rserver.proxy.http_head import RequestLine, StatusLine
from rserver.web.request import RequestHead

OWN_COOKIES = frozenset({"user-id", "user-list-id", "rs-csrf-token", "csrf-token", "persist-auth", "port-token"})

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}
    | {"proxy-authenticate", "proxy-authorization", "proxy-authentication-info"}
)
_WRITTEN_ANEW = frozenset({"content-length", "expect", "cookie", "forwarded", "x-real-ip", "host"})
_OURS = ("x-rs-", "x-rstudio-", "x-forwarded-", "proxy-")
# What a Connection field may not take away from the other side.
_PROTECTED = frozenset({"host", "cookie", "content-length", "set-cookie", "content-type", "origin"})
_USUAL_TOKENS = frozenset({"close", "keep-alive", "upgrade"})


def parse_cookies(value: str | None) -> dict[str, str]:
    """Name -> value of a Cookie field; the first of a name counts, a later one may be planted for a deeper path."""
    cookies: dict[str, str] = {}
    if value:
        for part in value.split(";"):
            name, separator, content = part.partition("=")
            if separator:
                cookies.setdefault(name.strip(), content.strip())
    return cookies


def foreign_cookies(value: str) -> str:
    """A Cookie field without our own cookies."""
    parts = [part.strip() for part in value.split(";")]
    return "; ".join(part for part in parts if part and not _is_own_cookie(part))


def request_head(head: RequestLine, target: str, lines: bytes) -> bytes:
    """The head a session gets: target as given, `lines` (ours) behind the client's fields."""
    out = [f"{head.method} {target} HTTP/1.1\r\nhost: {head.headers.get('host', 'localhost')}\r\n"]
    named = _named_by_connection(head.connection)
    for name, value in head.fields:
        if _goes_up(name) and name not in named:
            out.append(f"{name}: {value}\r\n")
    cookie = head.headers.get("cookie")
    if cookie and (cookie := foreign_cookies(cookie)):
        out.append(f"cookie: {cookie}\r\n")
    out.append(_request_framing(head))
    return "".join(out).encode("latin-1") + lines + b"\r\n"


def response_head(head: StatusLine, framing: str, cookies: tuple[str, ...] = ()) -> bytes:
    """The head a client gets: framing lines and Set-Cookie values of ours behind the session's fields."""
    out = [f"HTTP/1.1 {head.status} {head.reason}\r\n"]
    named = _named_by_connection(head.connection)
    for name, value in head.fields:
        if _goes_down(name) and name not in named and not (name == "set-cookie" and _is_own_cookie(value)):
            out.append(f"{name}: {value}\r\n")
    out.extend(f"set-cookie: {value}\r\n" for value in cookies)
    out.append(framing)
    out.append("\r\n")
    return "".join(out).encode("latin-1")


def own_lines(head: RequestHead, session_id: str) -> bytes:
    """What the session is told about the way of the request."""
    return (
        f"X-RS-Base-Path: {head.root_path}/s/{session_id}/\r\nX-Forwarded-For: {head.remote[0]}\r\n"
        f"X-Forwarded-Proto: {'https' if head.secure else 'http'}\r\nX-Forwarded-Host: {head.host}\r\n"
    ).encode("latin-1")


def _request_framing(head: RequestLine) -> str:
    if head.upgrade:
        return "connection: Upgrade\r\nupgrade: websocket\r\n"
    if head.chunked:
        return "transfer-encoding: chunked\r\n"
    return "" if head.length is None else f"content-length: {head.length}\r\n"


def _named_by_connection(tokens: frozenset[str]) -> frozenset[str]:
    return tokens - _USUAL_TOKENS - _PROTECTED if tokens else tokens


def _is_own_cookie(part: str) -> bool:
    return part.partition("=")[0].strip().lower() in OWN_COOKIES


@lru_cache(1024)
def _goes_up(name: str) -> bool:
    # An underscore reads as a dash on the other side of a CGI-like interface: X_RS_User would become ours.
    return name not in _HOP_BY_HOP and name not in _WRITTEN_ANEW and "_" not in name and not name.startswith(_OURS)


@lru_cache(1024)
def _goes_down(name: str) -> bool:
    return name not in _HOP_BY_HOP and name != "content-length"

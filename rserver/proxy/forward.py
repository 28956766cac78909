"""Rewriting of heads between client and session. Pure.

Upstream goes what the client asked for, without hop-by-hop fields, our cookies and anything that only we may say;
downstream what the session answered, without hop-by-hop fields and cookies of our names.
"""

import re

from rserver.proxy.http_head import RequestLine, StatusLine
from rserver.proxy.memo import Memo
from rserver.web.request import RequestHead

OWN_COOKIES = frozenset({"user-id", "user-list-id", "rs-csrf-token", "csrf-token", "persist-auth", "port-token"})

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}
    | {"proxy-authenticate", "proxy-authorization", "proxy-authentication-info", "proxy"}
)
# Other characters than these read as a dash behind a CGI-like interface: X_RS_User would become ours.
_PLAIN_NAME = re.compile(r"[a-z0-9-]+")
_WRITTEN_ANEW = frozenset({"content-length", "expect", "cookie", "forwarded", "x-real-ip", "host"})
_OURS = ("x-rs-", "x-rstudio-", "x-forwarded-", "proxy-")
# What a Connection field may not take away from the other side.
_NEVER_NAMED = frozenset(
    {"host", "cookie", "content-length", "set-cookie", "content-type", "origin", "close", "keep-alive", "upgrade"}
)

# Other characters that Unicode takes for blanks belong to a cookie's name, so that none can pass for another.
_BLANKS = " \t"

Field = tuple[str, str]


def parse_cookies(value: str | None) -> dict[str, str]:
    """Name -> value of a Cookie field; the first of a name counts, a later one may be planted for a deeper path."""
    cookies: dict[str, str] = {}
    if value:
        for part in value.split(";"):
            name, separator, content = part.partition("=")
            if separator:
                cookies.setdefault(name.strip(_BLANKS), content.strip(_BLANKS))
    return cookies


def foreign_cookies(value: str) -> str:
    """A Cookie field without our own cookies."""
    parts = [part.strip(_BLANKS) for part in value.split(";")]
    return "; ".join(part for part in parts if part and not _is_own_cookie(part))


def request_head(head: RequestLine, target: str, lines: bytes) -> bytes:
    """The head a session gets: target as given, `lines` (ours) behind the client's fields."""
    before, after = request_lines(head, lines)
    fields = [_LINES_UP[field] for field in _not_named(head.fields, head.connection)]
    fields.append(_request_framing(head))
    start = f"{head.method} {target} HTTP/1.1\r\n".encode("latin-1")
    return b"".join([start, before, "".join(fields).encode("latin-1"), after, b"\r\n"])


def request_lines(head: RequestLine, lines: bytes) -> tuple[bytes, bytes]:
    """What stands in a session's head in front of the client's own fields and their framing, and behind them."""
    cookie = foreign_cookies(head.headers.get("cookie", ""))
    after = f"cookie: {cookie}\r\n".encode("latin-1") + lines if cookie else lines
    return f"host: {head.headers.get('host', 'localhost')}\r\n".encode("latin-1"), after


def response_head(head: StatusLine, framing: str, cookies: tuple[str, ...] = ()) -> bytes:
    """The head a client gets: framing lines and Set-Cookie values of ours behind the session's fields."""
    out = [f"HTTP/1.1 {head.status} {head.reason}\r\n"]
    out += [_LINES_DOWN[field] for field in _not_named(head.fields, head.connection)]
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


def port_lines(head: RequestHead, base: str) -> bytes:
    """What a program on a port is told: base is the path in front of its own, with a slash at the end."""
    return (
        f"X-Forwarded-For: {head.remote[0]}\r\nX-Forwarded-Proto: {'https' if head.secure else 'http'}\r\n"
        f"X-Forwarded-Host: {head.host}\r\nX-Forwarded-Prefix: {base.rstrip('/')}\r\n"
    ).encode("latin-1")


def _request_framing(head: RequestLine) -> str:
    if head.upgrade:
        return "connection: Upgrade\r\nupgrade: websocket\r\n"
    if head.chunked:
        return "transfer-encoding: chunked\r\n"
    return "" if head.length is None else f"content-length: {head.length}\r\n"


def _not_named(fields: list[Field], tokens: frozenset[str]) -> list[Field]:
    named = tokens - _NEVER_NAMED if tokens else tokens
    return [field for field in fields if field[0] not in named] if named else fields


def _is_own_cookie(part: str) -> bool:
    return part.partition("=")[0].strip(_BLANKS).lower() in OWN_COOKIES


def _line_up(field: Field) -> str:
    """The line for a session; empty when the field stays here."""
    name, value = field
    stays = name in _HOP_BY_HOP or name in _WRITTEN_ANEW or not _PLAIN_NAME.fullmatch(name) or name.startswith(_OURS)
    return "" if stays else f"{name}: {value}\r\n"


def _line_down(field: Field) -> str:
    """The line for a client; empty when the field stays here."""
    name, value = field
    stays = name in _HOP_BY_HOP or name == "content-length" or (name == "set-cookie" and _is_own_cookie(value))
    return "" if stays else f"{name}: {value}\r\n"


def _length(field: Field) -> int:
    return len(field[0]) + len(field[1])


_LINES_UP: Memo[Field, str] = Memo(_line_up, _length)
_LINES_DOWN: Memo[Field, str] = Memo(_line_down, _length)

"""Answers: short ways to build a Response, and its bytes on the wire."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from rserver.web.request import RequestHead, Response
from rserver_core.security_headers import content_policy, security_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

# Codes of docs/reference/internal-protocols.md that rserver itself answers with.
UNREACHABLE, UNAVAILABLE, NOT_SIGNED_IN, NOT_A_REQUEST, NOT_ACCEPTABLE, INTERNAL = 1, 2, 3, 6, 10, 11
NO_SUCH_SESSION, SESSION_LIMIT, SESSION_FAILED, STILL_RUNS, LOST = 14, 20, 21, 22, 200
STATUS_OF_CODE = {
    UNREACHABLE: 502,
    UNAVAILABLE: 503,
    NOT_SIGNED_IN: 401,
    NOT_A_REQUEST: 403,
    INTERNAL: 500,
    NO_SUCH_SESSION: 404,
    SESSION_FAILED: 503,
    LOST: 502,
}
_ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def html(text: str, status: int = 200, cookies: tuple[str, ...] = ()) -> Response:
    """A page."""
    return Response(status, text.encode(), cookies=cookies)


def plain(text: str, status: int = 200) -> Response:
    """A line of text."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")


def refusal(status: int, reason: str) -> Response:
    """The answer to a request that cannot be read, or whose method nobody may use."""
    answer = plain(f"{reason}\n", status)
    return replace(answer, headers=(("Allow", _ALLOWED),)) if status == HTTPStatus.METHOD_NOT_ALLOWED else answer


def json_answer(value: object, status: int = 200, cookies: tuple[str, ...] = ()) -> Response:
    """Any value msgspec can encode."""
    return Response(status, msgspec.json.encode(value), "application/json", cookies=cookies)


def redirect(location: str, status: int = 302, cookies: tuple[str, ...] = ()) -> Response:
    """Go to location: a path on this server, root path included."""
    return Response(status, headers=(("Location", location),), content_type="", cookies=cookies)


def sign_in_redirect(head: RequestHead) -> Response:
    """To the sign-in page, and from there back to what was asked for."""
    return redirect(f"{head.root_path}/auth-sign-in?appUri={quote(head.target, safe='/')}")


def rpc_error(code: int, message: str, status: int | None = None, **more: object) -> Response:
    """`{"error":{"code","message", …}}` with the HTTP status that belongs to the code."""
    error = {"code": code, "message": message, **more}
    return json_answer({"error": error}, status or STATUS_OF_CODE.get(code, 500))


def wants_page(head: RequestHead) -> bool:
    """True when a browser asked for a document to show, so that an error must be a page and not JSON."""
    if head.method not in {"GET", "HEAD"} or "/rpc/" in head.path or head.path.startswith("/api/"):
        return False
    mode = head.headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in head.headers.get("accept", "")


def reason_phrase(status: int) -> str:
    """The usual words for a status."""
    return _PHRASES.get(status, "Unknown")


class ResponseEncoder:
    """Turns answers into bytes, with the security headers of this server.

    frame_origin is www-frame-origin: "none", "same", "any" or one origin; add_headers are `Name: value` lines.
    """

    def __init__(self, frame_origin: str = "none", add_headers: Iterable[str] = ()) -> None:
        self._frame_origin = frame_origin
        self._security = "".join(f"{name}: {value}\r\n" for name, value in security_fields(frame_origin, add_headers))

    def encode(
        self, response: Response, *, method: str = "GET", keep_alive: bool = False, cookies: Iterable[str] = ()
    ) -> bytes:
        """The whole answer. cookies are added unless the response sets one of that name."""
        lines = [f"HTTP/1.1 {response.status} {reason_phrase(response.status)}"]
        lines += [f"{name}: {value}" for name, value in self._fields(response, method)]
        lines += [f"Set-Cookie: {value}" for value in _merged_cookies(response.cookies, cookies)]
        if not keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join(lines) + "\r\n" + self._security + "\r\n"
        return head.encode("latin-1") + (b"" if method == "HEAD" else response.body)

    def _fields(self, response: Response, method: str) -> Iterable[tuple[str, str]]:
        yield "Date", formatdate(usegmt=True)
        if response.content_type:
            yield "Content-Type", response.content_type
        if response.status not in {204, 304}:
            yield "Content-Length", str(len(response.body))
        if response.cache_control:
            yield "Cache-Control", response.cache_control
        if response.csp:
            yield "Content-Security-Policy", content_policy(response.csp, self._frame_origin)
        yield from response.headers


def _merged_cookies(own: tuple[str, ...], added: Iterable[str]) -> list[str]:
    names = {value.partition("=")[0] for value in own}
    return [*own, *(value for value in added if value.partition("=")[0] not in names)]


def cookie_lines(cookies: Iterable[str]) -> str:
    """Set-Cookie lines for a head that is written elsewhere."""
    return "".join(f"Set-Cookie: {value}\r\n" for value in cookies)

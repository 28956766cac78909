"""What the front (bytes, connections) and the rest of the worker (pages, sign-in, sessions) say to each other.

The front parses and bounds every request, then asks three collaborators: a `Gate` who is calling and where a session
listens, `Pages` for everything the worker answers itself, and `SessionEvents` to which it reports what it saw. All are
called on the loop's thread. Awaitables run as asyncio tasks: await a Deferred through `deferred.asFuture(loop)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rserver_core.security_headers import STRICT_CSP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

PAGE_BODY_LIMIT = 64 * 1024

_FIELD_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def _check_fields(*texts: str) -> None:
    for text in texts:
        if _FIELD_TEXT.fullmatch(text) is None:
            raise ValueError(f"not fit for a header: {text!r}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person: the canonical account name and its uid."""

    user: str
    uid: int


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request without its body, checked and bounded (head 32 KiB, 100 fields, target 8 KiB).

    path   percent-encoded as sent, without www-root-path, starts with "/", no dot segments, no encoded NUL
    query  what follows "?", percent-encoded, "" when missing
    headers  lower-case name -> value (ISO 8859-1 text, outer blanks removed); fields sent twice are joined by ", "
    cookies  name -> value as sent; the first of a name counts
    remote   address and port of the client (of X-Forwarded-For's last entry when a trusted proxy connected)
    secure   the browser speaks TLS to us or to a trusted proxy
    host     what the browser asked for: Host, or X-Forwarded-Host of a trusted proxy
    root_path  "" or "/prefix": put it before every link, redirect and cookie path; "" + "/" is the root
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    remote: tuple[str, int]
    secure: bool = False
    host: str = ""
    root_path: str = ""

    @property
    def target(self) -> str:
        """Path and query as the browser sees them, root path included: what appUri wants."""
        return f"{self.root_path}{self.path}?{self.query}" if self.query else self.root_path + self.path


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request for a page: the head, who sent it (None when not signed in) and the body (at most 64 KiB)."""

    head: RequestHead
    identity: Identity | None = None
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.head.method

    @property
    def path(self) -> str:
        return self.head.path

    @property
    def query(self) -> str:
        return self.head.query

    @property
    def headers(self) -> Mapping[str, str]:
        return self.head.headers

    @property
    def cookies(self) -> Mapping[str, str]:
        return self.head.cookies


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. The front adds date, length, connection and the security headers, and drops the body on HEAD.

    ValueError when a header would hold a line break, another control character or text outside ISO 8859-1.
    headers  (name, value) pairs beside the ones with a field of their own here
    cookies  values of Set-Cookie lines, e.g. "user-id=…; Path=/; HttpOnly; SameSite=Lax"
    csp      Content-Security-Policy; frame-ancestors of www-frame-origin replaces the one named here
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    cache_control: str = "no-store"
    csp: str = STRICT_CSP

    def __post_init__(self) -> None:
        _check_fields(self.content_type, self.cache_control, self.csp, *self.cookies)
        for pair in self.headers:
            _check_fields(*pair)


@dataclass(frozen=True, slots=True)
class Authentication:
    """Answer of the gate: who it is, and Set-Cookie values (a renewed or cleared cookie) to send with the response.

    A page that sets a cookie of the same name itself wins over the gate's.
    repeatable: a request with the same fields from the same address would be told the same now.
    """

    identity: Identity | None = None
    cookies: tuple[str, ...] = ()
    repeatable: bool = True

    def __post_init__(self) -> None:
        _check_fields(*self.cookies)


ANONYMOUS = Authentication()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a session listens. Make one per running session and return the same object for every request.

    uid      the peer of the socket must run as this uid or as root (a keeper's backlog), else code 1
    headers  (name, value) pairs added to each request: X-RS-User; the front adds X-RS-Base-Path and X-Forwarded-*
    """

    socket_path: str
    uid: int
    headers: tuple[tuple[str, str], ...] = ()
    head_lines: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pair in self.headers:
            _check_fields(*pair)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers).encode("latin-1")
        object.__setattr__(self, "head_lines", lines)


class Gate(Protocol):
    """Says who is calling and where sessions are."""

    def authenticate(self, head: RequestHead) -> Authentication:
        """Who sent this request. Called once for every request but static files, must not block (cached cookie)."""

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        """Where requests of this person for this session go, or the answer to give instead.

        Return the Target itself while the session runs (no task is made then); return an awaitable while it is being
        launched. The awaitable is cancelled when the client goes away: shield the launch. Sessions that are unknown or
        not this person's (code 14) or failed (code 21): `responses.rpc_error`, or a page if `responses.wants_page`.
        """


class Pages(Protocol):
    """Everything the worker answers itself: sign-in, home, /api, the page of one session (`/s/<id>/`), health-check."""

    def handle(self, request: Request) -> Awaitable[Response]:
        """Answer a page request. Not cancelled when the client goes away; an exception becomes error(…, 500).

        The front has checked X-RS-CSRF-Token for unsafe methods below /api/ and /s/; forms check their hidden field.
        """

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        """The page for an error of this status; message is a sentence for the user, to be escaped."""


class SessionEvents(Protocol):
    """What the front saw of a session. Called synchronously, must be quick and must not raise."""

    def connected(self, session_id: str) -> None:
        """A request or WebSocket began to be carried to the session."""

    def disconnected(self, session_id: str) -> None:
        """It ended, for whatever reason. Every connected has exactly one disconnected.

        Requests that follow each other may be reported as one, which ends up to two seconds after the last of them.
        """

    def first_byte(self, session_id: str) -> None:
        """The session began to answer a request."""

    def failed(self, session_id: str, reason: str) -> None:
        """The session's socket could not be reached, had the wrong peer, or was lost before the answer's end."""


class FrontControl(Protocol):
    """What the front offers to the rest of the worker."""

    def close_user(self, user: str) -> int:
        """Close every WebSocket and running session request of this account (sign-out). Returns how many there were."""

    def close_session(self, session_id: str) -> int:
        """Close every WebSocket and running request of this session (it ended). Returns how many there were."""

    def close_join(self, session_id: str, host_id: str) -> int:
        """Close what leads from a session to the texts that another one keeps. Returns how many there were."""

    def listeners(self) -> Mapping[str, int]:
        """How many event streams and event polls are open, by session id; sessions without any are left out."""

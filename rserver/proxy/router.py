"""Where a request goes, from its target alone. Pure."""

import re
from dataclasses import dataclass

from rserver_core.session_id import LENGTH, is_session_id

_SESSION, _PORT, _WHOLE_PORT = "/s/", "/p/", "/absproxy/"
_COLLAB = "/collab/"
_COLLAB_PATH = re.compile(r"/s/[0-9a-f]{21}/collab/([0-9a-f]{21})/[0-9a-f]{8}", re.ASCII)
# Prefixes of the files that come with the program: the web bundle and what the sign-in and home pages load.
STATIC_PREFIXES = ("/ide/", "/static/")
# Below a session: requests that follow its events, and paths that are not the session's to answer ("*": beginnings).
LISTENING = frozenset({"/events", "/rpc/get_events"})
PYTHON_PATHS = (*sorted(LISTENING), "/", "/restart", "/p/*", "/absproxy/*", "/collab/*")
# What the next server could read as another path than we do: dot segments, plain or encoded, an encoded NUL,
# a backslash, a percent sign that encodes nothing.
_AMBIGUOUS = re.compile(
    r"(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|;|%2f|%5c|%3b|$)|%00|\\|%(?![0-9a-f]{2})", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class SessionRoute:
    """To the socket of a session, which sees `rest` (starts with "/") as the path."""

    session_id: str
    rest: str


@dataclass(frozen=True, slots=True)
class CollabRoute(SessionRoute):
    """To the session that keeps a text which several edit together; `session_id` is that of who asks."""


@dataclass(frozen=True, slots=True)
class PortRoute:
    """To a program of the session's user that listens on a loopback port; it sees `rest` as the path. port 0: none.

    whole: it sees the whole path, as the browser does.
    """

    session_id: str
    port: int
    rest: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class PageRoute:
    """To the pages. `signed_in`: only with an identity; `token`: unsafe methods need the CSRF header."""

    signed_in: bool = False
    token: bool = False


@dataclass(frozen=True, slots=True)
class StaticRoute:
    """A file that comes with the program: prefix and name below it."""

    prefix: str
    name: str


@dataclass(frozen=True, slots=True)
class MovedRoute:
    """The same thing has another path (without root path)."""

    path: str


@dataclass(frozen=True, slots=True)
class UnknownSessionRoute:
    """Below /s/, but no session can have this id."""


Route = SessionRoute | PortRoute | PageRoute | StaticRoute | MovedRoute | UnknownSessionRoute

_PAGE = PageRoute()
_API = PageRoute(token=True)
_IDE = PageRoute(signed_in=True, token=True)
# A form of the failure page, which carries its token in a field.
_RESTART = PageRoute(signed_in=True)
_UNKNOWN_SESSION = UnknownSessionRoute()


def collab_host(path: str) -> str | None:
    """The session that keeps the text to which a path leads; None when it leads to none."""
    found = _COLLAB_PATH.fullmatch(path)
    return found[1] if found else None


class BadPath(Exception):
    """The path could be read in more than one way."""


def split_target(target: str, root_path: str) -> tuple[str, str]:
    """(path without the root path, query). A proxy in front may have removed the root path. BadPath when ambiguous."""
    path, _, query = target.partition("?")
    if _AMBIGUOUS.search(path):
        raise BadPath("dot segment, backslash, NUL or broken percent-encoding in the path")
    if root_path and path.startswith(root_path) and path[len(root_path) :][:1] in {"", "/"}:
        path = path[len(root_path) :] or "/"
    return path, query


def route(path: str) -> Route:
    """The route of a path as `split_target` gives it."""
    if path.startswith(_SESSION):
        return _session_route(path)
    if path.startswith(STATIC_PREFIXES):
        prefix, _, name = path[1:].partition("/")
        return StaticRoute(prefix, name)
    return _API if path.startswith("/api/") else _PAGE


def _session_route(path: str) -> Route:
    end = len(_SESSION) + LENGTH
    session_id, rest = path[len(_SESSION) : end], path[end:]
    if not is_session_id(session_id) or rest[:1] not in {"", "/"}:
        return _UNKNOWN_SESSION
    if not rest:
        return MovedRoute(path + "/")
    if rest == "/restart":
        return _RESTART
    if rest.startswith((_PORT, _WHOLE_PORT)):
        return _port_route(path, session_id, rest)
    if rest.startswith(_COLLAB):
        return CollabRoute(session_id, rest) if collab_host(path) else _UNKNOWN_SESSION
    return _IDE if rest == "/" else SessionRoute(session_id, rest)


def _port_route(path: str, session_id: str, rest: str) -> Route:
    whole = rest.startswith(_WHOLE_PORT)
    number, slash, below = rest[len(_WHOLE_PORT if whole else _PORT) :].partition("/")
    port = int(number) if number.isascii() and number.isdigit() and len(number) <= 5 else 0
    if port and not slash:
        return MovedRoute(path + "/")
    return PortRoute(session_id, port if port < 1 << 16 else 0, "/" + below, whole)

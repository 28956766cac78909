"""The addresses of the door, as a table: what leads where, and what the OpenAPI document says of it. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rserver.remote import messages

BYTES = "application/octet-stream"
FORM = "multipart/form-data"
JSON = "application/json"

_SESSION = "/sessions/{sessionId}"
_FILE = f"{_SESSION}/files/{{fileName}}"
_NOT_THERE = (401, 404)
# Microsoft's prose calls it so.
_ALSO = {"/user/login": "/login"}


@dataclass(frozen=True, slots=True)
class Route:
    """One address.

    operation  its name; with `rest`, where in the session it leads: {…} stands for what is behind the last slash
    takes, gives  message types, or media types; None: nothing
    status  of success; errors: what else documented clients may meet
    public  needs no token
    """

    method: str
    path: str
    operation: str
    about: str
    takes: Any = None
    gives: Any = None
    status: int = 200
    errors: tuple[int, ...] = (401,)
    rest: str = ""
    public: bool = False
    query: tuple[str, ...] = ()


ROUTES = (
    Route("POST", "/login", "login", "Sign in.", messages.Login, messages.Tokens, 200, (400, 401), public=True),
    Route(
        "POST",
        "/login/refreshToken",
        "renewToken",
        "A new pair of tokens for a refresh token; the old pair is void.",
        messages.RefreshToken,
        messages.Tokens,
        errors=(400, 401),
        public=True,
    ),
    Route(
        "DELETE",
        "/login/refreshToken",
        "revokeRefreshToken",
        "Void a refresh token and the access token that came with it.",
        None,
        str,
        public=True,
        query=("refreshToken",),
    ),
    Route("GET", "/status", "status", "How the server is.", None, messages.Status, errors=(401, 500)),
    Route("GET", "/sessions", "listSessions", "The caller's sessions.", None, list[messages.SessionInfo]),
    Route(
        "POST",
        "/sessions",
        "createSession",
        "Start a session.",
        messages.CreateSession,
        messages.CreatedSession,
        201,
        (400, 401, 404, 409, 503),
    ),
    Route("DELETE", _SESSION, "closeSession", "End a session.", None, str, errors=(401, 404, 409)),
    Route(
        "DELETE",
        f"{_SESSION}/force",
        "forceCloseSession",
        "End a session, also when it is busy.",
        None,
        str,
        200,
        (401, 404),
    ),
    Route(
        "POST",
        f"{_SESSION}/execute",
        "executeCode",
        "Run code. R's own errors are no error of the request: `success` is false then.",
        messages.ExecuteRequest,
        messages.ExecuteResponse,
        errors=(400, 401, 404),
        rest="/remote/execute",
    ),
    Route(
        "POST",
        f"{_SESSION}/cancel",
        "cancelSession",
        "Stop the code that runs.",
        None,
        str,
        200,
        (401, 404),
        "/remote/cancel",
    ),
    Route(
        "GET",
        f"{_SESSION}/console-output",
        "getConsoleOutput",
        "What the code that runs, or ran last, has written.",
        None,
        messages.ConsoleOutput,
        errors=_NOT_THERE,
        rest="/remote/console-output",
    ),
    Route(
        "GET",
        f"{_SESSION}/history",
        "getSessionHistory",
        "The pieces of code, oldest first.",
        None,
        list[str],
        errors=_NOT_THERE,
        rest="/remote/history",
    ),
    Route(
        "GET",
        f"{_SESSION}/files",
        "listSessionFiles",
        "Names of the files in the working directory.",
        None,
        list[str],
        errors=_NOT_THERE,
        rest="/remote/files",
    ),
    Route(
        "POST",
        f"{_SESSION}/files",
        "uploadSessionFile",
        "Upload files; they take the place of older ones.",
        FORM,
        None,
        201,
        (400, 401, 404, 507),
        "/remote/files",
    ),
    Route(
        "GET",
        _FILE,
        "getSessionFile",
        "A file.",
        None,
        BYTES,
        200,
        (401, 404),
        "/remote/files/{}",
    ),
    Route(
        "DELETE",
        _FILE,
        "deleteSessionFile",
        "Remove a file.",
        None,
        str,
        200,
        (401, 404),
        "/remote/files/{}",
    ),
    Route(
        "GET",
        f"{_SESSION}/workspace",
        "getWorkspaceObjectNames",
        "Names of the objects.",
        None,
        list[str],
        errors=(401, 404, 410),
        rest="/remote/workspace",
    ),
    Route(
        "POST",
        f"{_SESSION}/workspace/{{objectName}}",
        "setWorkspaceObject",
        "Put an object, as R's `save()` writes it, into the workspace.",
        BYTES,
        str,
        errors=(400, 401, 404),
        rest="/remote/workspace/{}",
    ),
    Route(
        "GET",
        f"{_SESSION}/workspace/{{objectName}}",
        "getWorkspaceObject",
        "An object, as R's `load()` reads it.",
        None,
        BYTES,
        errors=_NOT_THERE,
        rest="/remote/workspace/{}",
    ),
    Route(
        "DELETE",
        f"{_SESSION}/workspace/{{objectName}}",
        "deleteWorkspaceObject",
        "Remove an object.",
        None,
        str,
        errors=_NOT_THERE,
        rest="/remote/workspace/{}",
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The route of an address, and what its {…} stand for: the first decoded, the last as it was sent."""

    route: Route
    session_id: str
    rest: str


def find(method: str, path: str) -> Found | tuple[str, ...]:
    """Where a request goes; the methods that the address takes when this is none of them, () for no address."""
    path = _ALSO.get(path, path)
    fits = [(route, found) for route in ROUTES if (found := _match(route.path, path)) is not None]
    wanted = "GET" if method == "HEAD" else method
    for route, values in fits:
        if route.method == wanted:
            session_id = unquote(values[0]) if values else ""
            return Found(route, session_id, route.rest.replace("{}", values[-1] if values else ""))
    return tuple(route.method for route, _ in fits)


def _match(template: str, path: str) -> list[str] | None:
    """What the {…} of a template stand for; the last one of two takes the rest of the path."""
    patterns, parts = template.split("/"), path.split("/")
    if len(parts) > len(patterns) and template.endswith("Name}"):
        parts = [*parts[: len(patterns) - 1], "/".join(parts[len(patterns) - 1 :])]
    if len(parts) != len(patterns):
        return None
    values: list[str] = []
    for pattern, part in zip(patterns, parts, strict=True):
        if pattern.startswith("{") and part:
            values.append(part)
        elif pattern.lower() != part.lower() or pattern.startswith("{"):
            return None
    return values

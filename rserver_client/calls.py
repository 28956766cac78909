"""Every request of the interface and the reading of its answer, without any connection. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from rserver_client.errors import RemoteError
from rserver_client.results import Execution, SessionInfo, Tokens

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request: path below the server's address, JSON or bytes to send, and what to make of the decoded answer.

    public: it needs no token. repeatable: when the connection is lost, it may be sent again.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    repeatable: bool = False


def login(user: str, password: str) -> Call[Tokens]:
    """Sign in."""
    return Call("POST", "/login", _tokens, {"username": user, "password": password}, public=True)


def renew(refresh: str) -> Call[Tokens]:
    """A new pair of tokens; the old one is void."""
    return Call("POST", "/login/refreshToken", _tokens, {"refreshToken": refresh}, public=True)


def revoke(refresh: str) -> Call[None]:
    """Void a pair of tokens."""
    return Call("DELETE", "/login/refreshToken", _nothing, query={"refreshToken": refresh}, public=True)


def sessions() -> Call[list[SessionInfo]]:
    """The caller's sessions."""
    return Call("GET", "/sessions", lambda answer: [_session(each) for each in answer], repeatable=True)


def new_session(name: str) -> Call[str]:
    """Start one; its id."""
    return Call("POST", "/sessions", lambda answer: str(answer["sessionId"]), {"name": name or None})


def end_session(session: str, *, force: bool) -> Call[None]:
    """End it. force: also when it is busy."""
    return Call("DELETE", f"/sessions/{quote(session, safe='')}" + ("/force" if force else ""), _nothing)


def run(session: str, code: str, inputs: Mapping[str, Any], outputs: Sequence[str]) -> Call[Execution]:
    """Run code. It has an id of its own: sent again, it joins the same execution."""
    body = {
        "code": code,
        "inputParameters": [{"name": name, "value": value} for name, value in inputs.items()],
        "outputParameters": list(outputs),
    }
    path = _in(session, "execute")
    return Call("POST", path, _execution, body, {"X-Request-Id": uuid4().hex}, repeatable=True)


def cancel(session: str) -> Call[None]:
    """Stop what runs."""
    return Call("POST", _in(session, "cancel"), _nothing)


def console_output(session: str) -> Call[str]:
    """What the code that runs, or ran last, has written."""
    return Call("GET", _in(session, "console-output"), lambda answer: str(answer["consoleOutput"]), repeatable=True)


def history(session: str) -> Call[list[str]]:
    """The pieces of code, oldest first."""
    return Call("GET", _in(session, "history"), list, repeatable=True)


def files(session: str) -> Call[list[str]]:
    """Names of the files in the session's folder."""
    return Call("GET", _in(session, "files"), list, repeatable=True)


def remove_file(session: str, name: str) -> Call[None]:
    """Remove a file."""
    return Call("DELETE", file_path(session, name), _nothing)


def objects(session: str) -> Call[list[str]]:
    """Names of the objects in the workspace."""
    return Call("GET", _in(session, "workspace"), list, repeatable=True)


def remove_object(session: str, name: str) -> Call[None]:
    """Remove an object."""
    return Call("DELETE", object_path(session, name), _nothing)


def files_path(session: str) -> str:
    """Where files are uploaded to."""
    return _in(session, "files")


def file_path(session: str, name: str) -> str:
    """Where a file is; slashes lead into folders."""
    return f"{_in(session, 'files')}/{quote(name)}"


def object_path(session: str, name: str) -> str:
    """Where an object is."""
    return f"{_in(session, 'workspace')}/{quote(name, safe='')}"


def _in(session: str, what: str) -> str:
    return f"/sessions/{quote(session, safe='')}/{what}"


def _tokens(answer: Any) -> Tokens:
    return Tokens(
        answer["access_token"], answer["refresh_token"], float(answer["expires_on"]), float(answer["expires_in"])
    )


def _session(answer: Any) -> SessionInfo:
    return SessionInfo(answer["id"], answer["name"], answer["owner"], answer["runtimeType"])


def _execution(answer: Any) -> Execution:
    values = {each["name"]: each["value"] for each in answer["outputParameters"]}
    changed = tuple(answer["changedFiles"])
    return Execution(answer["success"], answer["errorMessage"], answer["consoleOutput"], changed, values)


def _nothing(_answer: Any) -> None:
    return None


def read(call: Call[T], answer: Any) -> T:
    """What an answer means; RemoteError when it is none to this call."""
    try:
        return call.read(answer)
    except (LookupError, TypeError, ValueError) as error:
        raise RemoteError(f"The server's answer to {call.method} {call.path} is not understood: {error!r}") from error

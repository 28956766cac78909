"""Where requests of programs go."""

import pytest

from rserver.remote.routes import ROUTES, Found, find


@pytest.mark.parametrize(
    ("method", "path", "operation", "session_id", "rest"),
    [
        ("POST", "/login", "login", "", ""),
        ("POST", "/user/login", "login", "", ""),
        ("POST", "/login/refreshtoken", "renewToken", "", ""),
        ("GET", "/sessions", "listSessions", "", ""),
        ("DELETE", "/sessions/a1", "closeSession", "a1", ""),
        ("DELETE", "/sessions/a1/force", "forceCloseSession", "a1", ""),
        ("POST", "/sessions/a1/execute", "executeCode", "a1", "/remote/execute"),
        ("GET", "/sessions/a1/console-output", "getConsoleOutput", "a1", "/remote/console-output"),
        ("GET", "/sessions/a%20b/files/x%20y.txt", "getSessionFile", "a b", "/remote/files/x%20y.txt"),
        ("HEAD", "/sessions/a1/files/sub/x", "getSessionFile", "a1", "/remote/files/sub/x"),
        ("DELETE", "/sessions/a1/workspace/a.b", "deleteWorkspaceObject", "a1", "/remote/workspace/a.b"),
    ],
)
def test_found(method: str, path: str, operation: str, session_id: str, rest: str) -> None:
    found = find(method, path)
    assert isinstance(found, Found)
    assert (found.route.operation, found.session_id, found.rest) == (operation, session_id, rest)


@pytest.mark.parametrize("path", ["/", "/nope", "/sessions/", "/sessions//execute", "/sessions/a1/files/", "/Login/x"])
def test_nowhere(path: str) -> None:
    assert find("GET", path) == ()


def test_other_methods() -> None:
    assert find("PUT", "/sessions") == ("GET", "POST")
    assert find("GET", "/sessions/a1/force") == ("DELETE",)


def test_operations_have_names_of_their_own() -> None:
    names = [route.operation for route in ROUTES]
    assert len(names) == len(set(names)) > 15

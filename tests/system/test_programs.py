"""The door of programs on a whole server, with real accounts and a real R."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.system.accounts import Account, account
from tests.system.program import Program
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]
GUARDED = (
    ("GET", "/sessions"),
    ("POST", "/sessions"),
    ("DELETE", "/sessions/x"),
    ("DELETE", "/sessions/x/force"),
    ("POST", "/sessions/x/execute"),
    ("POST", "/sessions/x/cancel"),
    ("GET", "/sessions/x/console-output"),
    ("GET", "/sessions/x/history"),
    ("GET", "/sessions/x/files"),
    ("POST", "/sessions/x/files"),
    ("GET", "/sessions/x/files/f"),
    ("DELETE", "/sessions/x/files/f"),
    ("GET", "/sessions/x/workspace"),
    ("POST", "/sessions/x/workspace/o"),
    ("GET", "/sessions/x/workspace/o"),
    ("DELETE", "/sessions/x/workspace/o"),
    ("GET", "/status"),
    ("GET", "/nope"),
)


@pytest.fixture(scope="module")
def people() -> Iterator[tuple[Account, Account]]:
    with account() as first, account() as second:
        yield first, second


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(remote_enabled="1", remote_port="0") as running:
        yield running


@pytest.fixture
def program(server: RunningServer, people: tuple[Account, Account]) -> Iterator[Program]:
    """Signed in as the first account."""
    with Program(server) as made:
        made.login(people[0])
        yield made


@pytest.fixture(scope="module")
def session(server: RunningServer, people: tuple[Account, Account]) -> str:
    """A session of the first account that all tests may use."""
    with Program(server) as made:
        made.login(people[0])
        return made.new_session(name="shared")


def test_a_login(server: RunningServer, people: tuple[Account, Account]) -> None:
    with Program(server) as program:
        tokens = program.login(people[0])
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert abs(tokens["expires_on"] - time.time() - 3600) < 60


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "root", "password": "x"}, 401),
        ({"username": "no such account", "password": "x"}, 401),
        ({"username": "root"}, 400),
        ({"username": 1, "password": "x"}, 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
    ],
)
def test_no_login(server: RunningServer, body: object, status: int) -> None:
    with Program(server) as program:
        answer = program.send("POST", "/login", body)
    assert answer[0] == status
    assert set(answer[1]) == {"message", "link", "exceptionType"}
    assert len(answer[1]["message"]) > 20


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c"])
def test_a_token_is_needed_everywhere(server: RunningServer, token: str) -> None:
    with Program(server, token) as program:
        for method, path in GUARDED:
            status, answer = program.send(method, path)
            assert status == 401, (method, path)
            assert "access token" in answer["message"]


def test_tokens_are_renewed_once_and_revoked(server: RunningServer, people: tuple[Account, Account]) -> None:
    with Program(server) as program:
        first = program.login(people[0])
        status, second = program.send("POST", "/login/refreshToken", {"refreshToken": first["refresh_token"]})
        assert status == 200
        assert program.send("GET", "/sessions")[0] == 401
        assert program.send("POST", "/login/refreshToken", {"refreshToken": first["refresh_token"]})[0] == 401
        assert program.send("POST", "/login/refreshToken", {"refreshToken": "unknown"})[0] == 401
        program.token = second["access_token"]
        assert program.send("GET", "/sessions")[0] == 200
        assert program.send("DELETE", f"/login/refreshToken?refreshToken={second['refresh_token']}")[0] == 200
        assert program.send("GET", "/sessions")[0] == 401
        assert program.send("POST", "/login/refreshToken", {"refreshToken": second["refresh_token"]})[0] == 401


def test_life_of_a_session(program: Program, people: tuple[Account, Account]) -> None:
    session = program.new_session(name="of mine", runtimeType="R")
    own = {each["id"]: each for each in program.send("GET", "/sessions")[1]}[session.rpartition("/")[2]]
    assert (own["name"], own["owner"], own["runtimeType"]) == ("of mine", people[0].name, "R")
    assert program.execute(session, "Sys.info()[['user']]")["consoleOutput"] == f'[1] "{people[0].name}"\n'
    assert program.send("DELETE", session) == (200, "")
    assert program.send("GET", f"{session}/history")[0] == 404
    assert program.send("DELETE", session)[0] == 404


@pytest.mark.parametrize(
    ("body", "why"), [({"runtimeType": "Fortran"}, "runtimeType"), ({"name": 7}, "name"), (b"nope", "not acceptable")]
)
def test_sessions_that_cannot_be(program: Program, body: object, why: str) -> None:
    status, answer = program.send("POST", "/sessions", body)
    assert (status, why in answer["message"]) == (400, True)


def test_sessions_are_apart(program: Program, session: str) -> None:
    other = program.new_session()
    program.execute(session, "only_here <- 1; writeLines('a', 'only-here.txt')")
    assert program.execute(other, "exists('only_here')")["consoleOutput"] == "[1] FALSE\n"
    assert program.send("GET", f"{other}/files") == (200, [])
    assert program.send("DELETE", f"{other}/force") == (200, "")


def test_strangers_see_nothing(server: RunningServer, people: tuple[Account, Account], session: str) -> None:
    with Program(server) as stranger:
        stranger.login(people[1])
        assert stranger.send("GET", "/sessions") == (200, [])
        for method, path in GUARDED:
            if path.startswith("/sessions/x"):
                assert stranger.send(method, path.replace("/sessions/x", session))[0] == 404, (method, path)


def test_a_busy_session_is_ended_by_force_only(program: Program, server: RunningServer) -> None:
    session = program.new_session()
    ended: list[int] = []

    def execute() -> None:
        with Program(server, program.token) as other:
            ended.append(other.send("POST", f"{session}/execute", {"code": "cat('begun'); Sys.sleep(600)"})[0])

    thread = threading.Thread(target=execute)
    thread.start()
    while "begun" not in program.send("GET", f"{session}/console-output")[1]["consoleOutput"]:
        pass
    status, answer = program.send("DELETE", session)
    assert (status, "busy" in answer["message"]) == (409, True)
    assert program.send("DELETE", f"{session}/force") == (200, "")
    thread.join(20)
    assert ended == [502]
    assert program.send("GET", f"{session}/history")[0] == 404


def test_errors_of_the_session_come_in_the_same_shape(program: Program, session: str) -> None:
    for method, path, status in (
        ("POST", "execute", 400),
        ("GET", "files/nope", 404),
        ("GET", "workspace/nope", 404),
        ("POST", "workspace/nope", 400),
        ("POST", "files", 400),
        ("PUT", "files", 405),
    ):
        answer = program.send(method, f"{session}/{path}", b"{}" if method == "POST" else None)
        assert answer[0] == status, (path, answer)
        assert set(answer[1]) == {"message", "link", "exceptionType"}


def test_objects_and_files_in_both_directions(program: Program, session: str) -> None:
    program.execute(session, "x <- runif(2e6); writeBin(as.raw(1:200), 'made.bin')")
    status, data = program.send("GET", f"{session}/workspace/x")
    assert (status, len(data) > 16_000_000) == (200, True)
    assert program.send("POST", f"{session}/workspace/y", data) == (200, "")
    assert program.execute(session, "identical(x, y)")["consoleOutput"] == "[1] TRUE\n"
    assert program.send("GET", f"{session}/files/made.bin") == (200, bytes(range(1, 201)))


def test_the_token_stays_with_the_server(program: Program, session: str) -> None:
    """Nothing of the session's process needs it, and R code there could use it elsewhere."""
    code = "any(grepl('eyJ', Sys.getenv()))"
    assert program.execute(session, code)["consoleOutput"] == "[1] FALSE\n"


def test_browsers_are_not_led_to_sessions_of_programs(
    server: RunningServer, people: tuple[Account, Account], session: str
) -> None:
    visitor = Visitor(server.port)
    visitor.sign_in(people[0].name, people[0].password)
    location = visitor.get("/").location
    assert session.rpartition("/")[2] not in location


def test_what_lives_on_when_the_server_is_restarted(people: tuple[Account, Account]) -> None:
    with running_server(remote_enabled="1", remote_port="0") as server:
        with Program(server) as program:
            tokens = program.login(people[0])
            session = program.new_session()
            program.execute(session, "kept <- 42")
            revoked = program.login(people[0])
            program.send("DELETE", f"/login/refreshToken?refreshToken={revoked['refresh_token']}")
        assert server.stop() == 0
        server.lines.clear()
        server.start()
        with Program(server, tokens["access_token"]) as program:
            assert program.execute(session, "kept")["consoleOutput"] == "[1] 42\n"
            renewed = program.send("POST", "/login/refreshToken", {"refreshToken": tokens["refresh_token"]})
            assert renewed[0] == 200
            program.token = revoked["access_token"]
            assert program.send("GET", "/sessions")[0] == 401

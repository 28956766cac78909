"""Objects of the workspace as RData, in a real R."""

import json
import threading

import pytest

from tests.rsession.remote.conftest import Program
from tests.rsession.running import UnixConnection, connect

pytestmark = pytest.mark.r


def test_names(program: Program) -> None:
    program.execute("rm(list = ls()); a.b <- 1; .hidden <- 2; set.seed(1)")
    assert program.send("GET", "workspace") == (200, [".hidden", "a.b"])


@pytest.mark.parametrize("query", ["", "?native=1"])
@pytest.mark.parametrize("code", ["list(1, 'x', data.frame(q = 1:3))", "lm(mpg ~ wt, mtcars)", "NULL", "runif(3e6)"])
def test_there_and_back(program: Program, code: str, query: str) -> None:
    program.execute(f"x <- {code}")
    status, data = program.send("GET", f"workspace/x{query}")
    assert (status, data[:3]) == (200, b"RDB" if query else b"RDX")
    assert program.send("POST", "workspace/y", data) == (200, "")
    assert program.value("same <- isTRUE(all.equal(x, y))", "same") == [True]


def test_names_that_are_odd(program: Program) -> None:
    program.execute("assign('a b/ü', 7)")
    status, data = program.send("GET", "workspace/a%20b%2F%C3%BC")
    assert status == 200
    assert program.send("POST", "workspace/%C3%A4%20b", data) == (200, "")
    assert program.value("x <- get('ä b')") == [7]


def test_several_keep_their_names(program: Program) -> None:
    code = "first <- 1; second <- 2; save(first, second, file = 'both.RData'); rm(first, second)"
    assert program.execute(code)["success"]
    data = program.send("GET", "files/both.RData")[1]
    assert program.send("POST", "workspace/whatever", data) == (200, "")
    assert program.value("x <- c(first, second, exists('whatever'))") == [1, 2, 0]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"junk", lambda data: data[: len(data) // 2]])
def test_what_is_no_rdata_changes_nothing(program: Program, damage: "type[bytes]") -> None:
    program.execute("rm(list = ls()); x <- runif(1e6)")
    data = program.send("GET", "workspace/x")[1]
    status, why = program.send("POST", "workspace/x", damage(data))
    assert (status, "no RData" in why["message"]) == (400, True)
    assert program.send("GET", "workspace")[1] == [".hidden", "x"]
    assert program.value("n <- length(x)", "n") == [1_000_000]


def test_unknown_ones(program: Program) -> None:
    assert program.send("GET", "workspace/no_such")[0] == 404
    assert program.send("DELETE", "workspace/no_such")[0] == 404
    program.execute("x <- 1")
    assert program.send("DELETE", "workspace/x") == (200, "")
    assert program.send("GET", "workspace/x")[0] == 404


def test_they_wait_for_what_runs(program: Program) -> None:
    def execute() -> None:
        connection = UnixConnection(program.session.socket_path)
        body = json.dumps({"code": "cat('begun'); Sys.sleep(0.3); x <- 'after'"}).encode()
        connection.request("POST", "/remote/execute", body)
        connection.getresponse().read()
        connection.close()

    thread = threading.Thread(target=execute)
    thread.start()
    while "begun" not in program.send("GET", "console-output")[1]["consoleOutput"]:
        pass
    data = program.send("GET", "workspace/x")[1]
    thread.join()
    assert b"after" in data


def test_clients_that_go_away(program: Program) -> None:
    program.execute("x <- runif(5e6)")
    reader = connect(program.session.socket_path)
    reader.sendall(b"GET /remote/workspace/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reader.recv(1000).startswith(b"HTTP/1.1 200")
    reader.close()
    writer = connect(program.session.socket_path)
    writer.sendall(b"POST /remote/workspace/half HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\nRDX3\nX\n")
    writer.close()
    assert program.value("x <- exists('half')") == [False]
    assert len(program.send("GET", "workspace/x")[1]) > 30

"""Code of programs, in a real R."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.rsession.remote.conftest import Program
from tests.rsession.running import UnixConnection, ready

pytestmark = pytest.mark.r


def test_what_is_visible_is_printed(program: Program) -> None:
    assert program.execute("2 + 3") == {
        "success": True,
        "errorMessage": "",
        "outputParameters": [],
        "consoleOutput": "[1] 5\n",
        "changedFiles": [],
    }


def test_several_statements_over_lines(program: Program) -> None:
    answer = program.execute("f <- function(x) {\n  x + 1\n}\n\n# a comment\nf(1); f(2)\ninvisible(3)\n")
    assert (answer["success"], answer["consoleOutput"]) == (True, "[1] 2\n[1] 3\n")


@pytest.mark.parametrize("code", ["", "\n\n", "# nothing", "  \n# a\n\n"])
def test_nothing_to_do(program: Program, code: str) -> None:
    answer = program.execute(code)
    assert (answer["success"], answer["consoleOutput"]) == (True, "")


def test_an_error_ends_the_code_and_nothing_else(program: Program) -> None:
    answer = program.execute("before <- 1\nbefore; 2; f <- function() stop('no')\nf()\nafter <- 1\n4")
    assert (answer["success"], answer["errorMessage"]) == (False, "Error in f() : no")
    assert answer["consoleOutput"] == "[1] 1\n[1] 2\nError in f() : no\n"
    assert program.value("x <- c(exists('before'), exists('after'))") == [True, False]


def test_a_syntax_error(program: Program) -> None:
    answer = program.execute("1\n1 1\n2")
    assert not answer["success"]
    assert "unexpected numeric constant" in answer["errorMessage"]
    assert answer["consoleOutput"].startswith("[1] 1\nError: unexpected")


@pytest.mark.parametrize("code", ["f(", "{", "'open", "1 +", "if (TRUE) {\n1\n"])
def test_code_that_is_not_complete(program: Program, code: str) -> None:
    answer = program.execute(code)
    assert not answer["success"]
    assert "not complete" in answer["errorMessage"]
    assert program.execute("1")["consoleOutput"] == "[1] 1\n"


def test_errors_that_are_caught_are_none(program: Program) -> None:
    answer = program.execute("try(stop('a'), silent = TRUE)\ntryCatch(stop('b'), error = function(e) 'caught')")
    assert (answer["success"], answer["consoleOutput"]) == (True, '[1] "caught"\n')


def test_messages_warnings_children_and_characters(program: Program) -> None:
    answer = program.execute("message('größer'); cat('日本\\n'); system('echo child')\nwarning('care')")
    assert answer["success"]
    assert answer["consoleOutput"] == "größer\n日本\nchild\nWarning message:\ncare \n"


def test_nobody_answers_questions(program: Program) -> None:
    answer = program.execute("x <- readline('name? ')\nnchar(x)")
    assert (answer["success"], answer["consoleOutput"]) == (True, "name? \n[1] 0\n")
    answer = program.execute("f <- function() { browser(); 1 }\nf()\n2")
    assert not answer["success"]
    assert "browser() was called" in answer["errorMessage"]
    assert "[1] 2" not in answer["consoleOutput"]


def test_inputs(program: Program) -> None:
    inputs = {
        "number": 2.5,
        "whole": 3,
        "text": 'quo"te \\ \n é',
        "yes": True,
        "vector": [1, None, 3],
        "table": {"a": [1, 2], "b c": ["x", None]},
        "rows": [[1, 2, 3], [4, 5, 6]],
        "nothing": None,
        "mixed": {"a": 1, "b": {"c": [1, 2]}},
    }
    given = [{"name": name, "value": value} for name, value in inputs.items()]
    code = (
        "x <- c(identical(number, 2.5), identical(whole, 3L), identical(yes, TRUE), identical(vector, c(1L, NA, 3L)),"
        "identical(text, 'quo\"te \\\\ \\n é'), is.null(nothing), identical(rows, matrix(1:6, 2, byrow = TRUE)),"
        "identical(table, data.frame(a = 1:2, 'b c' = c('x', NA), check.names = FALSE)),"
        "identical(mixed, list(a = 1L, b = list(c = 1:2)) ) || is.data.frame(mixed$b))"
    )
    answer = program.execute(code, inputParameters=given, outputParameters=["x"])
    assert answer["outputParameters"] == [{"name": "x", "value": [True] * 9}], answer


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1.5", [1.5]),
        ("1:3", [1, 2, 3]),
        ("c('a', NA)", ["a", None]),
        ("TRUE", [True]),
        ("data.frame(a = 1:2, b = c('u', 'v'))", {"a": [1, 2], "b": ["u", "v"]}),
        ("matrix(1:4, 2)", [[1, 3], [2, 4]]),
        ("factor(c('m', 'f'))", ["m", "f"]),
        ("as.Date('2020-02-29')", ["2020-02-29"]),
        ("list(a = 1, b = list('c'))", {"a": [1], "b": [["c"]]}),
        ("NULL", None),
        ("0.1 + 0.2", [0.30000000000000004]),
    ],
)
def test_outputs(program: Program, code: str, value: object) -> None:
    assert program.value(f"x <- {code}") == value


def test_outputs_that_cannot_be(program: Program) -> None:
    answer = program.execute("x <- 1", outputParameters=["x", "no_such_thing"])
    assert (answer["success"], answer["errorMessage"]) == (False, "object 'no_such_thing' not found")
    assert answer["outputParameters"] == [{"name": "x", "value": [1]}]
    assert "closure" in program.execute("f <- function() 1", outputParameters=["f"])["errorMessage"]


def test_files_of_this_execution_only(program: Program) -> None:
    made = program.execute("writeLines('a', 'a.txt'); dir.create('sub'); writeLines('b', 'sub/b.txt')")
    assert made["changedFiles"] == ["a.txt", "sub/b.txt"]
    assert program.execute("readLines('a.txt')")["changedFiles"] == []
    assert program.execute("cat('more', file = 'a.txt', append = TRUE)")["changedFiles"] == ["a.txt"]


def test_history(program: Program) -> None:
    program.execute("first <- 1\nsecond <- 2")
    program.execute("stop('third')")
    assert program.send("GET", "history")[1][-2:] == ["first <- 1\nsecond <- 2", "stop('third')"]


@contextmanager
def running(program: Program, code: str) -> Iterator[dict[str, Any]]:
    """Execute code meanwhile; the answer is in `answer` at the end."""
    answer: dict[str, Any] = {}

    def execute() -> None:
        connection = UnixConnection(program.session.socket_path)
        connection.request("POST", "/remote/execute", json.dumps({"code": code}).encode())
        answer.update(json.loads(connection.getresponse().read()))
        connection.close()

    thread = threading.Thread(target=execute)
    thread.start()
    yield answer
    thread.join()


def output_with(program: Program, text: str) -> None:
    """Until the running execution has written text."""
    while text not in program.send("GET", "console-output")[1]["consoleOutput"]:
        pass


def test_console_output_while_it_runs_and_cancel(program: Program) -> None:
    with running(program, "kept <- 1\ncat('begun\\n')\nrepeat Sys.sleep(0.01)\nlost <- 1") as answer:
        output_with(program, "begun")
        assert program.send("POST", "cancel") == (200, "")
    assert not answer["success"]
    assert "cancelled" in answer["errorMessage"]
    assert program.value("x <- c(exists('kept'), exists('lost'))") == [True, False]


def test_what_waits_goes_on_when_what_runs_is_cancelled(program: Program) -> None:
    with running(program, "cat('first\\n'); repeat {}") as first:
        output_with(program, "first")
        with running(program, "cat('second\\n')") as second:
            program.send("POST", "cancel")
    assert "cancelled" in first["errorMessage"]
    assert (second["success"], second["consoleOutput"]) == (True, "second\n")


def test_a_page_beside_it_sees_the_code(program: Program) -> None:
    stream = ready(program.session)
    program.execute("40 + 2")
    stream.wait_for(lambda event: event["type"] == "console_write_input" and "40 + 2" in event["data"]["text"])
    stream.wait_for_prompt()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "no JSON"),
        (b"[]", "object"),
        (b"{}", "code is missing"),
        (b'{"code": 1}', "code must be a string"),
        (b'{"code": "1", "inputParameters": {}}', "inputParameters must be an array"),
        (b'{"code": "1", "inputParameters": [{"name": "x"}]}', "name and value"),
        (b'{"code": "1", "inputParameters": [{"name": "", "value": 1}]}', "not empty"),
        (b'{"code": "1", "inputParameters": [{"name": "x", "value": "a\\u0000"}]}', "NUL"),
        (b'{"code": "1", "outputParameters": [7]}', "must be a string"),
        (b'{"code": "a\\u0000b"}', "NUL"),
        (b'{"code": "\\ud800"}', "surrogate"),
        (b'{"code": NaN}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_bodies_that_are_wrong(program: Program, body: bytes, why: str) -> None:
    status, answer = program.send("POST", "execute", body)
    assert status == 400
    assert why in answer["message"]
    assert program.execute("1")["consoleOutput"] == "[1] 1\n"


def begin(program: Program, code: str, run_id: str) -> UnixConnection:
    """Send code; its answer is not read."""
    connection = UnixConnection(program.session.socket_path)
    connection.request("POST", "/remote/execute", json.dumps({"code": code}).encode(), {"X-Request-Id": run_id})
    return connection


def test_who_comes_back_gets_the_answer_and_nothing_is_run_twice(program: Program) -> None:
    program.execute("count <- 0")
    code = "count <- count + 1; cat('run', count, '\\n'); Sys.sleep(0.2); count"
    lost = begin(program, code, "my-run")
    output_with(program, "run 1")
    lost.close()
    for _ in range(2):
        again = begin(program, code, "my-run")
        answer = json.loads(again.getresponse().read())
        again.close()
        assert (answer["success"], answer["consoleOutput"]) == (True, "run 1 \n[1] 1\n")
    assert program.value("x <- count") == [1]


def test_nobody_waits_and_the_next_one_still_has_its_turn(program: Program) -> None:
    lost = begin(program, "cat('alone\\n'); Sys.sleep(0.2); x <- 'done'", "")
    output_with(program, "alone")
    lost.close()
    assert program.value("x") == ["done"]


def test_an_id_that_is_none(program: Program) -> None:
    connection = begin(program, "1", "no id")
    answer = connection.getresponse()
    assert (answer.status, "X-Request-Id" in json.loads(answer.read())["message"]) == (400, True)
    connection.close()

import time
from typing import Any

import pytest

from tests.rsession.services.conftest import Desk

pytestmark = pytest.mark.r

SETUP = """
x <- list(alpha = 1, `b c` = 2, f = sum); df <- mtcars; émile <- 1
m <- matrix(1, 1, 2, dimnames = list(NULL, c("aa", "ab"))); e <- new.env(); e$inside <- 1
setClass("P", slots = c(nm = "numeric")); s <- new("P"); ran <- character()
delayedAssign("p", ran <<- "promise"); call_me <- function() { ran <<- "call"; list(a = 1) }
makeActiveBinding("act", function() { ran <<- "active"; list(a = 1) }, globalenv())
delayedAssign('later', ran <<- 'inner promise', assign.env = e)
"""


@pytest.fixture(scope="module", autouse=True)
def prepared(desk: Desk) -> None:
    desk.run(SETUP.strip().replace("\n", ";"))


def complete(desk: Desk, line: str) -> dict[str, Any]:
    units = len(line.encode("utf-16-le")) // 2
    answer: dict[str, Any] = desk.call("get_completions", line, units)
    return answer


def texts(desk: Desk, line: str) -> list[str]:
    return [item["text"] for item in complete(desk, line)["items"]]


@pytest.mark.parametrize(
    ("line", "expected", "kind"),
    [
        ("mtcars$m", "mpg", "column"),
        ("x$al", "alpha", "variable"),
        ("x$b", "`b c`", "variable"),
        ("x$`b", "`b c`", "variable"),
        ("x$f", "f", "function"),
        ("x $ al", "alpha", "variable"),
        ("e$in", "inside", "variable"),
        ("s@n", "nm", "variable"),
        ("stats::lm", "lm", "function"),
        ("datasets::mtc", "mtcars", "variable"),
        ("utils:::.guess", ".guessTokenFromLine", "function"),
        ("lattice::xyp", "xyplot", "function"),
        ("read.c", "read.csv", "function"),
        ("mtca", "mtcars", "variable"),
        ("émi", "émile", "variable"),
        ("whi", "while", "keyword"),
        ("TRU", "TRUE", "keyword"),
        ("latt", "lattice::", "package"),
        ("library(latt", "lattice", "package"),
        ('require("latt', "lattice", "package"),
        ("plot(x, typ", "type = ", "argument"),
        ("plot(x, 'l', xl", "xlab = ", "argument"),
        ("utils::head(x, n", "n = ", "argument"),
        ("lm(\n  form", "formula = ", "argument"),
        ("mtcars |> subset(sel", "select = ", "argument"),
        ('df[, "mp', "mpg", "column"),
        ("df[['mp", "mpg", "column"),
        ('m[, "a', "ab", "variable"),
        ('x[["al', "alpha", "variable"),
        ("'/etc/pass", "passwd", "file"),
        ('source("/et', "etc/", "file"),
        ("f(')', se", "seq_len", "function"),
        ("rEAD.cS", "read.csv", "function"),
    ],
)
def test_completions(desk: Desk, line: str, expected: str, kind: str) -> None:
    items = complete(desk, line)["items"]
    assert (expected, kind) in [(item["text"], item["kind"]) for item in items]


@pytest.mark.parametrize(
    "line", ["# mea", "x <- 1 # mea", "'# a' # mea", "", "1e5", "nothing$", "NULL$a", "call_me()$", "p$"]
)
def test_places_without_completions(desk: Desk, line: str) -> None:
    assert texts(desk, line) == []


def test_nothing_is_evaluated(desk: Desk) -> None:
    for line in ("p$", "p", "act$a", "act", "call_me()$a", "call_me(", "e$later$", "e$", "p@", 'p[["', "plot(p, ty"):
        complete(desk, line)
    assert desk.run("ran") == "character(0)\n"


@pytest.mark.parametrize(
    ("line", "start", "token"),
    [
        ("😀 + mea", 5, "mea"),
        ("'😀/", 4, ""),
        ("émi", 0, "émi"),
        ("x$al", 2, "al"),
        ("a\nmea", 2, "mea"),
        ("'a b/c d", 5, "c d"),
    ],
)
def test_the_token_is_counted_in_utf16_units(desk: Desk, line: str, start: int, token: str) -> None:
    answer = complete(desk, line)
    assert (answer["start"], answer["token"]) == (start, token)


def test_what_stands_behind_the_cursor_does_not_count(desk: Desk) -> None:
    answer = desk.call("get_completions", "mtcars$m)[1] 'open", 8)
    assert [item["text"] for item in answer["items"]] == ["mpg"]


def test_arguments_that_are_given_are_not_offered_again(desk: Desk) -> None:
    assert "formula = " not in texts(desk, "lm(formula = y ~ x, ")
    assert "data = " in texts(desk, "lm(formula = y ~ x, ")


def test_at_most_200_items(desk: Desk) -> None:
    assert len(texts(desk, "a")) <= 200
    assert len(texts(desk, "stats::")) == 200


@pytest.mark.parametrize("line", ["plot(x, typ", "a", "print(x, d", "stats:::", "ggplot2::"])
def test_it_is_quick(desk: Desk, line: str) -> None:
    complete(desk, line)
    begin = time.perf_counter()
    complete(desk, line)
    assert time.perf_counter() - begin < 0.15


@pytest.mark.parametrize(("line", "cursor"), [("abc", 4), ("abc", -1), ("😀", 1), ("a\0b", 3), ("\ud83d", 1)])
def test_impossible_positions_are_refused(desk: Desk, line: str, cursor: int) -> None:
    assert desk.error("get_completions", line, cursor)["code"] == 10


def test_a_busy_session_answers_with_nothing_at_once(desk: Desk) -> None:
    desk.session.type("Sys.sleep(30)")
    desk.events.wait_for(lambda e: e["type"] == "busy" and e["data"]["value"])
    assert complete(desk, "mea")["items"] == []
    desk.call("interrupt")
    desk.events.wait_for_prompt()


@pytest.mark.parametrize(
    "line", ["((((" * 500, "[[" * 500, '"' * 999, 'r"(' * 300, "$" * 500, "\\" * 500, "x$" * 400, "`"]
)
def test_hostile_lines_are_answered(desk: Desk, line: str) -> None:
    assert isinstance(complete(desk, line)["items"], list)

import time
from typing import Any

import pytest

from tests.rsession.services.conftest import Desk

pytestmark = pytest.mark.r


@pytest.fixture(autouse=True)
def empty(desk: Desk) -> None:
    desk.run("rm(list = ls())")
    desk.call("get_environment_state")  # behind the question for changes that the prompt has caused


def described(desk: Desk, code: str) -> dict[str, Any]:
    desk.run(code)
    (found,) = desk.call("get_environment_state")["objects"]
    result: dict[str, Any] = found
    return result


def changes(desk: Desk, code: str) -> dict[str, Any]:
    """What the event after the code says."""
    since = desk.events.seen[-1]["id"]
    desk.run(code)
    event = desk.events.wait_for(lambda e: e["type"] == "environment_changed" and e["id"] > since)
    data: dict[str, Any] = event["data"]
    return data


@pytest.mark.parametrize(
    ("value", "kind", "summary"),
    [
        ("1:10", "value", "int [1:10] 1 2 3 4 5 6 7 8 9 10"),
        ("c(1.5, 2, pi)", "value", "num [1:3] 1.5 2 3.14"),
        ("1:1e9", "value", "int [1:1000000000] 1 2 3 4 5 6 7 8 9 10 …"),
        ("3.14159265", "value", "3.14159265"),
        ('"text"', "value", '"text"'),
        ('c("a", NA)', "value", 'chr [1:2] "a" NA'),
        ("TRUE", "value", "TRUE"),
        ("NULL", "value", "NULL"),
        ("integer()", "value", "int(0)"),
        ("1i", "value", "0+1i"),
        ("as.raw(1:2)", "value", "raw [1:2] 01 02"),
        ('factor(c("u", "v", "u"))', "value", 'Factor w/ 2 levels "u","v": 1 2 1'),
        ('as.Date("2026-01-02")', "value", '"2026-01-02"'),
        ('as.POSIXct("2026-01-02 03:04:05", tz = "UTC")', "value", '"2026-01-02 03:04:05"'),
        ("matrix(1:6, 2)", "data", "int [1:2, 1:3] 1 2 3 4 5 6"),
        ("mtcars", "data", "32 obs. of 11 variables"),
        ("list(1, 'a')", "data", "List of 2"),
        ("lm(mpg ~ wt, mtcars)", "data", "List of 12 (lm)"),
        ("new.env()", "data", "<environment>"),
        ("y ~ x", "value", "y ~ x"),
        ("function(x, y = 2) NULL", "function", "function (x, y)"),
        ("sum", "function", "function (..., na.rm)"),
        ('structure(1:2, class = "own")', "value", "'own' int [1:2] 1 2"),
    ],
)
def test_summaries(desk: Desk, value: str, kind: str, summary: str) -> None:
    found = described(desk, f"it <- {value}")
    assert (found["name"], found["kind"], found["summary"]) == ("it", kind, summary)


def test_fields_of_an_object(desk: Desk) -> None:
    found = described(desk, "m <- matrix(c(1, 2), 1)")
    fields = {"class": ["matrix", "array"], "type": "double", "length": 2, "size": 232}
    assert {name: found[name] for name in fields} == fields


def test_summaries_are_one_short_line(desk: Desk) -> None:
    for code in ('it <- strrep("é", 1e5)', 'it <- "a\\nb\\033"', "it <- as.list(1:1e5)", 'it <- "\\xff\\xfe"'):
        summary = described(desk, code)["summary"]
        assert len(summary) <= 100
        assert summary.isprintable()


def test_nothing_is_evaluated(desk: Desk) -> None:
    code = """
    ran <- character()
    delayedAssign("promise", ran <<- c(ran, "promise"))
    makeActiveBinding("active", function() ran <<- c(ran, "active"), globalenv())
    length.own <- format.own <- names.own <- print.own <- function(x, ...) ran <<- c(ran, "method")
    own <- structure(list(1), class = "own")
    """
    changes(desk, code.strip().replace("\n", ";"))
    kinds = {found["name"]: found["kind"] for found in desk.call("get_environment_state")["objects"]}
    assert (kinds["promise"], kinds["active"]) == ("promise", "active")
    assert desk.run("ran") == "character(0)\n"
    desk.run("invisible(promise)")
    kinds = {found["name"]: found["kind"] for found in desk.call("get_environment_state")["objects"]}
    assert kinds["promise"] == "value"
    desk.run("rm(list = ls())")


def test_changes_are_told_as_a_difference(desk: Desk) -> None:
    told = changes(desk, "b <- 2; a <- 1")
    assert ([found["name"] for found in told["changed"]], told["removed"], told["total"]) == (["a", "b"], [], 2)
    told = changes(desk, "rm(a); b <- 3; c <- 4")
    assert ([found["name"] for found in told["changed"]], told["removed"], told["total"]) == (["b", "c"], ["a"], 2)


def test_a_vector_changed_in_place_is_seen(desk: Desk) -> None:
    changes(desk, "x <- c(1, 2, 3)")
    assert changes(desk, "x[2] <- 9")["changed"][0]["summary"] == "num [1:3] 1 9 3"


def test_nothing_is_told_when_nothing_changed(desk: Desk) -> None:
    changes(desk, "x <- 1")
    since = desk.events.seen[-1]["id"]
    desk.run("x")
    changes(desk, "y <- 1")
    told = [e for e in desk.events.seen if e["id"] > since and e["type"] == "environment_changed"]
    assert len(told) == 1


def test_an_error_does_not_hide_what_was_made_before_it(desk: Desk) -> None:
    assert changes(desk, "z <- 5; stop('no')")["changed"][0]["name"] == "z"


def test_ten_thousand_objects_are_cut_and_quick(desk: Desk) -> None:
    assert changes(desk, 'for (i in 1:10000) assign(paste0("v", i), list(i, "a"))') == {"reset": True}
    begin = time.perf_counter()
    state = desk.call("get_environment_state")
    first = time.perf_counter() - begin
    assert (len(state["objects"]), state["total"], state["truncated"]) == (2000, 10001, True)
    assert first < 1.0
    assert [found["name"] for found in changes(desk, "v7 <- 1")["changed"]] == ["v7"]


def test_the_random_numbers_and_the_last_value_stay(desk: Desk) -> None:
    desk.run("set.seed(1); before <- .Random.seed; 41 + 1")
    desk.call("get_environment_state")
    desk.call("get_completions", "mtcars$", 7)
    assert desk.run(".Last.value; identical(before, .Random.seed)") == "[1] 42\n[1] TRUE\n"

"""Calls of R functions in the hidden environment, through the real shim."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rserver_core.r_scan import find_installation

pytestmark = pytest.mark.r

DRIVER = Path(__file__).with_name("shim_driver.py")


def run(folder: Path, source: str, *calls: list[str]) -> list[list[Any]]:
    """What the driver reports for jobs in an environment made of `source`."""
    installation = find_installation(path=os.environ["PATH"])
    file = folder / "source.R"
    file.write_text(source)
    ended = subprocess.run(
        [sys.executable, str(DRIVER), installation.home, str(file)],
        input="".join(json.dumps(call) + "\n" for call in calls),
        env={**os.environ, **installation.environment(), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in ended.stderr.splitlines()]


def values(folder: Path, *expressions: str) -> list[Any]:
    """JSON values of R expressions, each the body of a job."""
    source = "\n".join(f"f{index} <- function() {{ {body} }}" for index, body in enumerate(expressions))
    answers = run(folder, source, *([f"f{index}"] for index in range(len(expressions))))[1:-1]
    return [json.loads(text) if kind == 0 else (kind, text) for kind, text in answers]


def test_values_become_json(tmp_path: Path) -> None:
    cases: dict[str, object] = {
        "NULL": None,
        "NA": None,
        "TRUE": True,
        "7L": 7,
        "0.1": 0.1,
        "1e300": 1e300,
        "1/3": 1 / 3,
        "2^53": 2**53,
        "c(1, NA, Inf, NaN)": [1, None, None, None],
        "'x'": "x",
        "NA_character_": None,
        "character()": [],
        "structure('x', class = 'rs_array')": ["x"],
        "list()": [],
        "list(1, 'a')": [1, "a"],
        "list(a = 1, b = list(c = NULL))": {"a": 1, "b": {"c": None}},
        "structure(list(), names = character())": {},
        "factor(c('u', NA, 'v'))": ["u", None, "v"],
        "quote(name)": "name",
        "1:3": [1, 2, 3],
        "as.list(1:2)": [1, 2],
        "'\\\"\\\\\\n\\t\\001'": '"\\\n\t\x01',
        "'\\u00e4\\u4f60\\U1F389'": "ä你🎉",
        "'\\xe4'": "<e4>",
        "iconv('\\u00e4', 'UTF-8', 'latin1')": "ä",
        "{x <- 'a\\xffb'; Encoding(x) <- 'bytes'; x}": "a\ufffdb",
    }
    assert values(tmp_path, *cases) == list(cases.values())


def test_raw_vectors_arrive_as_bytes(tmp_path: Path) -> None:
    assert values(tmp_path, "as.raw(c(0, 255, 10))") == [(1, "\x00\xff\n")]


@pytest.mark.parametrize("value", ["globalenv()", "function() 1", "list(a = as.raw(1))", "1i"])
def test_what_has_no_json_form_is_an_error(tmp_path: Path, value: str) -> None:
    assert values(tmp_path, value)[0][0] == 2


def test_a_deep_list_is_an_error(tmp_path: Path) -> None:
    assert values(tmp_path, "x <- list(); for (i in 1:5000) x <- list(x); x")[0][0] == 2


def test_a_value_beyond_64_megabytes_is_an_error(tmp_path: Path) -> None:
    kind, text = values(tmp_path, "strrep('x', 7e7)")[0]
    assert kind == 2
    assert "too large" in text


def test_errors_give_their_message_and_print_nothing(tmp_path: Path) -> None:
    source = """
    broken <- function() { cat('noise'); message('noise'); warning('noise'); print('noise'); stop('no ', 'luck') }
    """
    report = run(tmp_path, source, ["broken"], ["missing_function"])
    assert report[1] == [2, '"no luck"']
    assert "missing_function" in report[2][1]
    assert "noise" not in report[-1][1]


def test_arguments_are_strings_of_utf8(tmp_path: Path) -> None:
    report = run(tmp_path, "both <- function(a, b) list(a = a, b = b, enc = Encoding(b))", ["both", "", "Größe\n'\"\\"])
    assert json.loads(report[1][1]) == {"a": "", "b": "Größe\n'\"\\", "enc": "UTF-8"}


def test_the_user_s_state_is_left_alone(tmp_path: Path) -> None:
    source = """
    draw <- function() { rnorm(1); invisible(3) }
    traces <- function() list(
        seed = exists('.Random.seed', globalenv()),
        attached = any(vapply(search(), function(n) exists('draw', as.environment(n), inherits = FALSE), NA)))
    """
    report = run(tmp_path, source, ["draw"], ["traces"])
    assert json.loads(report[2][1]) == {"seed": False, "attached": False}


def test_events_are_emitted_in_order(tmp_path: Path) -> None:
    source = "tell <- function(x) { .rs_emit('first', list(x = x)); .rs_emit('second'); 'done' }"
    report = run(tmp_path, source, ["tell", "y"])
    assert report[1:4] == [["emitted", "first", '{"x":"y"}'], ["emitted", "second", "null"], [0, '"done"']]


def test_a_source_file_that_fails_is_reported(tmp_path: Path) -> None:
    report = run(tmp_path, "good <- function() 1\nstop('bad file')", ["good"])
    assert report[0][0] == 2
    assert "bad file" in report[0][1]
    assert report[1] == [0, "1"]


def test_questions_in_a_job_find_no_answer(tmp_path: Path) -> None:
    assert values(tmp_path, "readline('? ')") == [""]


def test_functions_of_jobs_stay_uncompiled(tmp_path: Path) -> None:
    source = "loop <- function() { s <- 0; for (i in 1:100) s <- s + i; typeof(.Internal(bodyCode(loop))) }"
    calls = [["loop"]] * 6
    assert [answer[1] for answer in run(tmp_path, source, *calls)[1:-1]] == ['"language"'] * 6

"""A session's console says what R's terminal says. All inputs take minutes; a selection runs every time."""

from collections.abc import Iterator

import pytest

from tests.conformance.corpus import ConsoleInput, example_inputs, regression_inputs
from tests.conformance.run import Outcome, compare_consoles
from tests.conformance.sources import SourceUnavailableError
from tests.conformance.verdict import judge

pytestmark = pytest.mark.r

_EXAMPLES = ("base-examples-9", "base-examples-10", "stats-examples-1", "utils-examples-1", "graphics-examples-2")
_INPUTS = (
    "conditions.R",
    "eval-etc.R",
    "lm-tests.R",
    "method-dispatch.R",
    "ok-errors.R",
    "print-tests.R",
    "reg-IO.R",
    "reg-IO2.R",
    "simple-true.R",
    "test-system.R",
    "utf8-regex.R",
)


@pytest.mark.parametrize("name", _EXAMPLES)
def test_examples_give_what_the_terminal_gives(name: str) -> None:
    _check(next(given for given in example_inputs() if given.name == name))


@pytest.mark.parametrize("name", _INPUTS)
def test_regression_inputs_give_what_the_terminal_gives(name: str) -> None:
    _check(next(given for given in _inputs_of_r() if given.name == name))


@pytest.mark.slow
def test_everything_gives_what_the_terminal_gives_and_no_explanation_is_idle() -> None:
    outcomes = [_run(given) for given in (*example_inputs(), *_inputs_of_r())]
    verdict = judge(outcomes)
    assert not verdict.unexplained
    assert not [known.title for known in verdict.needless]


def _inputs_of_r() -> Iterator[ConsoleInput]:
    try:
        yield from regression_inputs()
    except SourceUnavailableError as error:
        pytest.skip(str(error))


def _check(given: ConsoleInput) -> None:
    assert not judge([_run(given)]).unexplained


def _run(given: ConsoleInput) -> Outcome:
    outcome = compare_consoles(given)
    assert outcome.ends[0] == outcome.ends[1], outcome.ends
    return outcome

"""`python -m tests.conformance [NAME ...]`: compare, tell what is not explained; without a name also write the page."""

import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase

from tests.conformance.compare import Difference
from tests.conformance.corpus import example_inputs, regression_inputs
from tests.conformance.report import write_page
from tests.conformance.run import Outcome, compare_consoles
from tests.conformance.verdict import judge


def main(patterns: Sequence[str]) -> int:
    """1 when something differs without an explanation, or an explanation explains nothing."""
    outcomes: list[Outcome] = []
    for given in (*example_inputs(), *regression_inputs()):
        if not patterns or any(fnmatchcase(given.name, pattern) for pattern in patterns):
            outcomes.append(compare_consoles(given))
            _tell(outcomes[-1])
    verdict = judge(outcomes)
    if patterns:
        return bool(verdict.unexplained)
    for known in verdict.needless:
        print(f"explains nothing: {known.title}")
    write_page(outcomes, _version())
    return bool(verdict.unexplained or verdict.needless)


def _tell(outcome: Outcome) -> None:
    unexplained = judge([outcome]).unexplained
    print(f"{outcome.name}: {outcome.lines} lines, {outcome.ends}, {len(outcome.differences)} differ", flush=True)
    for difference in unexplained:
        _show(difference)


def _show(difference: Difference) -> None:
    print(f"--- {difference.source}, line {difference.line}: {difference.statement[-300:]}")
    print(f"terminal: {difference.terminal[-600:]!r}\nsession:  {difference.session[-600:]!r}", flush=True)


def _version() -> str:
    return subprocess.run(["R", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""docs/reference/conformance.md: what was compared and what differs, written by the run itself."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conformance.known_differences import KNOWN, Known
from tests.conformance.left_out import LEFT_OUT_PAGES, LEFT_OUT_TESTS
from tests.conformance.run import Outcome
from tests.conformance.verdict import Verdict, judge

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "conformance.md"
_WIDTH = 118

_HEAD = """\
# The console beside R's own terminal

<!-- Written by `python -m tests.conformance`; do not edit. -->

R's own regression inputs (`tests/*.R` of its source) and the examples of base, stats, utils and graphics were given,
line by line, to `R --no-readline --vanilla --interactive` on a pseudo-terminal without echo and to a session through
`console_input`. For every line, all that R wrote until it asked for the next one, the prompt included, was compared:
output, messages, errors, the output of child processes, and their order.

Before comparing, only what no two runs of R share is made equal: process ids, names of temporary files, addresses,
clocks, timings. A line on which R's terminal itself does not repeat its numbers in a second run is compared without
them.
"""


def write_page(outcomes: Sequence[Outcome], version: str) -> None:
    """Write the page anew."""
    PAGE.write_text("\n".join(_page(outcomes, version)) + "\n", encoding="utf-8")


def _page(outcomes: Sequence[Outcome], version: str) -> Iterator[str]:
    verdict = judge(outcomes)
    yield _HEAD
    yield from _summary(outcomes, verdict, version)
    yield "\n## What differs, and why\n"
    for known in KNOWN:
        yield from _explained(known, verdict)
    yield "## What was compared\n"
    yield "| input | lines | the same | explained |"
    yield "| --- | --: | --: | --: |"
    for outcome in outcomes:
        count = len(outcome.differences)
        yield f"| {outcome.name} | {outcome.lines} | {outcome.lines + 1 - count} | {count or ''} |"
    yield "\n## What was left out\n"
    for name, reason in {**LEFT_OUT_PAGES, **LEFT_OUT_TESTS}.items():
        yield f"- `{name}`: {reason}"


def _summary(outcomes: Sequence[Outcome], verdict: Verdict, version: str) -> Iterator[str]:
    lines = sum(outcome.lines for outcome in outcomes)
    differing = sum(len(outcome.differences) for outcome in outcomes)
    share = 100 * (1 - differing / lines) if lines else 100
    unexplained = len(verdict.unexplained)
    yield (
        f"{version}: {len(outcomes)} inputs, {lines:,} lines, {lines - differing:,} of them ({share:.2f} %) answered "
        f"in the same words; {differing - unexplained} differences are explained below, {unexplained} are not."
    )


def _explained(known: Known, verdict: Verdict) -> Iterator[str]:
    found = verdict.explained.get(known, ())
    places = sorted({difference.source for difference in found})
    yield f"### {known.title}\n"
    yield textwrap.fill(known.reason, _WIDTH)
    yield f"\n{len(found)} lines, in {', '.join(places)}.\n" if found else "\nNot in this run.\n"
    for difference in found[:1]:
        yield "```"
        yield from _shortened(difference.statement, 4)
        yield "# terminal"
        yield from _shortened(difference.terminal, 6)
        yield "# session"
        yield from _shortened(difference.session, 6)
        yield "```\n"


def _shortened(text: str, limit: int) -> list[str]:
    lines = [line[:_WIDTH] for line in text.replace("\x08", "").replace("```", "'''").splitlines()]
    return lines if len(lines) <= limit else [*lines[:limit], "…"]

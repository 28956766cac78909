"""Medians, percentiles and targets of results, printed as one JSON line each."""

import json
import statistics
from collections.abc import Sequence
from typing import Any


def median(values: Sequence[float], digits: int = 2) -> float:
    """The median, rounded."""
    return round(statistics.median(values), digits)


def percentile(values: Sequence[float], share: float, digits: int = 2) -> float:
    """The value that this share of the values does not exceed."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], digits)


def report(bench: str, **fields: Any) -> None:
    """One result as the runner expects it."""
    print(json.dumps({"bench": bench, **fields}), flush=True)


def target(value: float, at_most: float) -> dict[str, Any]:
    """A figure beside its target."""
    return {"value": value, "at_most": at_most, "met": value <= at_most}


def skipped(bench: str, reason: str) -> None:
    """A result that says why there is none."""
    report(bench, skipped=reason)

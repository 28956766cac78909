"""Kinds of values that only profiles have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rserver_core.options.kinds import NotAllowed

MOST_PROCESSORS = 1024
_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)
_SHARE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Processors:
    """Numbers of processors from 1, with commas between them, or ranges of them."""

    allowed: str = f"processors from 1 to {MOST_PROCESSORS}, like 1,2 or 1-4,7"

    def read(self, text: str, environ: Mapping[str, str]) -> tuple[int, ...]:
        """The numbers in ascending order."""
        numbers: set[int] = set()
        for part in text.split(","):
            match = _RANGE.fullmatch(part.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not 1 <= first <= last <= MOST_PROCESSORS:
                raise NotAllowed
            numbers.update(range(first, last + 1))
        return tuple(sorted(numbers))


@dataclass(frozen=True, slots=True)
class Share:
    """How many processors' worth of time, with fractions."""

    allowed: str = f"a number from 0.05 to {MOST_PROCESSORS}, with at most two decimals"

    def read(self, text: str, environ: Mapping[str, str]) -> float:
        """The number."""
        if not _SHARE.fullmatch(text) or not 0.05 <= float(text) <= MOST_PROCESSORS:
            raise NotAllowed
        return float(text)

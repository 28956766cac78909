"""Which numbered lines of a console were delivered, and what a page that opens later must show of them."""

import itertools
import re
from dataclasses import dataclass, field

_LINE = re.compile(r"<L(\d+)>\n")
_WINDOW_LINES = 950
"""A console that shows so many lines may have forgotten the oldest."""


def lines_of(text: str) -> list[int]:
    """Numbers of the whole lines in a text."""
    return [int(number) for number in _LINE.findall(text)]


def order_complaint(lines: list[int]) -> str | None:
    """What is wrong with lines that one listener read: they ascend, none comes twice."""
    for before, after in itertools.pairwise(lines):
        if after <= before:
            return f"line {after} follows line {before}"
    return None


@dataclass(slots=True)
class ConsoleRecord:
    """delivered: lines that came from the process that runs; kept: those that outlive it."""

    next_line: int = 1
    delivered: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)

    def take(self, count: int) -> range:
        """Numbers for so many new lines."""
        first, self.next_line = self.next_line, self.next_line + count
        return range(first, first + count)

    def deliver(self, lines: list[int]) -> None:
        """A listener has read these."""
        self.delivered.update(lines)

    def snapshot(self) -> set[int]:
        """What a checkpoint that begins now keeps."""
        return self.delivered | self.kept

    def keep(self, lines: set[int]) -> None:
        """A checkpoint that began with these was answered."""
        self.kept |= lines

    def forget(self) -> None:
        """Its user ended the session: nothing needs to be shown again."""
        self.delivered.clear()
        self.kept.clear()

    def judge(self, shown: str, same_process: bool) -> str | None:
        """What is wrong with what a page shows."""
        lines = lines_of(shown)
        wanted = self.kept | (self.delivered if same_process else set())
        if shown.count("\n") >= _WINDOW_LINES and lines:
            wanted = {line for line in wanted if line >= lines[0]}
        missing = sorted(wanted.difference(lines))
        self.delivered, self.kept = set(lines), self.kept & set(lines)
        if missing:
            return f"{len(missing)} lines are missing in the console: {missing[:10]}"
        return order_complaint(lines)

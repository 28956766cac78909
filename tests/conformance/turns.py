"""A console transcript as turns: one per line that R took from the console."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FRESH_PROMPT = re.compile(r"(?:^|\n)(?:> |Browse\[\d+\]> )$")


@dataclass(frozen=True, slots=True)
class Turn:
    """One line given to R and everything R wrote until it waited for the next line.

    `typed` is None for the first turn, which holds the greeting. `text` ends with the next prompt.
    """

    typed: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns of one run, and how it ended: `done`, `quit` (R ended early) or `stuck`."""

    turns: tuple[Turn, ...]
    end: str


def statements(turns: tuple[Turn, ...]) -> Iterator[str]:
    """For each turn the text of the statement that its line belongs to, from the line's first prompt on."""
    so_far: list[str] = []
    fresh = True
    for turn in turns:
        if fresh:
            so_far = []
        if turn.typed is not None:
            so_far.append(turn.typed)
        yield "\n".join(so_far)
        fresh = _FRESH_PROMPT.search(turn.text) is not None or turn.typed is None

"""Two transcripts of one input compared, turn by turn."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import zip_longest

from tests.conformance.normalise import normalised, without_numbers
from tests.conformance.turns import Transcript, Turn, statements

_ABSENT = Turn(None, "")


@dataclass(frozen=True, slots=True)
class Difference:
    """One line at which the two consoles did not say the same. Line 0 is the greeting."""

    source: str
    line: int
    statement: str
    terminal: str
    session: str


def differing_lines(one: Transcript, other: Transcript) -> list[int]:
    """Numbers of the turns whose text differs after normalising."""
    pairs = zip_longest(one.turns, other.turns, fillvalue=_ABSENT)
    return [number for number, (a, b) in enumerate(pairs) if normalised(a.text) != normalised(b.text)]


def differences(
    source: str, terminal: Transcript, session: Transcript, unsteady: Set[int] = frozenset()
) -> Iterator[Difference]:
    """Every turn that differs; one that the terminal itself does not repeat (`unsteady`) without its numbers."""
    asked = list(statements(terminal.turns))
    for number in differing_lines(terminal, session):
        ours, theirs = _text(session, number), _text(terminal, number)
        if number in unsteady and without_numbers(ours) == without_numbers(theirs):
            continue
        statement = asked[number] if number < len(asked) else ""
        yield Difference(source, number, statement, normalised(theirs), normalised(ours))


def _text(transcript: Transcript, number: int) -> str:
    if number < len(transcript.turns):
        return transcript.turns[number].text
    return f"<{transcript.end}>"

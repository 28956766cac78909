"""What a user reads of an end that the keeper could explain."""

import calendar

import pytest

from rserver.sessions import causes, last_words

NOON = float(calendar.timegm((2026, 3, 4, 12, 3, 0)))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"by": "limit", "used": 4 << 30, "limit": 4 << 30},
            "R used 4 GB of the 4 GB of memory that this server allows",
        ),
        ({"by": "limit", "used": 0, "limit": 100 << 20}, "R used 100 MB of the 100 MB"),
        ({"by": "outer", "used": 4402341479, "limit": 0}, "together was used up, and R was ended: it used 4.1 GB."),
        ({"by": "machine", "used": 0, "limit": 0}, "The machine ran out of memory, and R was ended. "),
    ],
)
def test_ends_for_want_of_memory(told: object, words: str) -> None:
    fate = causes.of_exit(None, 9, "tail", answered=True, memory=told)
    assert words in fate.cause
    assert (fate.code, fate.signal, fate.stderr_tail) == (None, 9, "tail")


@pytest.mark.parametrize("told", [None, 7, {}, {"by": "magic"}])
def test_other_kills_are_told_as_before(told: object) -> None:
    assert "by signal 9 (SIGKILL)" in causes.of_exit(None, 9, "", answered=True, memory=told).cause


def test_what_is_kept() -> None:
    told = last_words.of_checkpoint(NOON, NOON + 60)
    assert told == "Its objects are kept as they were at 2026-03-04 12:03 UTC, later changes are lost."
    assert last_words.of_checkpoint(0.0, NOON).startswith("Nothing had been saved")
    fate = causes.of_exit(None, 11, "", answered=True, kept="The objects …")
    assert fate.cause.endswith("a crash in compiled code. The objects …")


@pytest.mark.parametrize("told", [None, -1, "soon", True, NOON + 1])
def test_no_checkpoint_is_made_up(told: object) -> None:
    assert last_words.of_checkpoint(told, NOON) == ""

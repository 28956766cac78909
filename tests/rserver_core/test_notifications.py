from pathlib import Path

import pytest

from rserver_core.config_errors import ConfigErrors
from rserver_core.notifications import MOST_CHARACTERS, Notification, load, parse, time_of

GOOD = """\
# Told to everybody
StartTime: 2026-03-01 17:00:00 +01:00
EndTime: 2026-03-01 18:00 UTC
Message: The server restarts at six.
  Save <b>your</b> work.

# Another one, which begins at once

EndTime: 2026-06-13T00:00:00Z
Message: ü
"""


def test_records_with_blank_lines_between() -> None:
    first, second = parse(GOOD, "n.conf")
    assert first == Notification(
        "The server restarts at six.\nSave <b>your</b> work.",
        time_of("2026-03-01 18:00Z"),
        time_of("2026-03-01 16:00Z"),
    )
    assert (second.message, second.starts) == ("ü", None)
    assert first.id != second.id


def test_nothing_in_the_file() -> None:
    assert parse("", "n.conf") == ()
    assert parse("# only\n\n  \n", "n.conf") == ()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-01", "2026-03-01 00:00:00"),
        ("2026-03-01T05:55", "2026-03-01 05:55"),
        ("2026-03-01 05:55 -5:00", "2026-03-01 10:55 Z"),
        ("2026-03-01 05:55:10+0530", "2026-03-01 00:25:10 UTC"),
    ],
)
def test_times(text: str, same: str) -> None:
    assert time_of(text) == time_of(same)


def test_without_a_zone_it_is_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    for zone, hours in (("UTC", 0), ("Asia/Tokyo", 9)):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert time_of("2026-03-01 12:00") == time_of(f"2026-03-01 {12 - hours:02}:00Z")
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "2026-03-01 25:00",
        "2026-03-01 1:00",
        "2026-03-01 +99:00",
        "٢٠٢٦-03-01",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        time_of(text)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Message: x\n", 1, "EndTime: is missing"),
        ("EndTime: 2026-01-01\n", 1, "Message: is missing"),
        ("EndTime: soon\nMessage: x\n", 1, "expected a time like"),
        ("Begin: 2026-01-01\nEndTime: 2026-01-01\nMessage: x\n", 1, "expected StartTime:, EndTime: or Message:"),
        ("EndTime: 2026-01-01\nEndTime: 2026-01-02\nMessage: x\n", 2, "is given twice"),
        ("StartTime: 2026-01-02\nEndTime: 2026-01-01\nMessage: x\n", 2, "is not after StartTime"),
        ("EndTime: 2026-01-01\n 10:00\nMessage: x\n", 2, "cannot go on"),
        ("EndTime: 2026-01-01\nMessage:\n", 2, "expected 1 to"),
        (f"EndTime: 2026-01-01\nMessage: {'x' * (MOST_CHARACTERS + 1)}\n", 2, "expected 1 to"),
        ("EndTime: 2026-01-01\nMessage: a\x1bb\n", 2, "control character"),
    ],
)
def test_errors_name_the_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse(text, "n.conf")
    assert f"n.conf:{line}:" in str(caught.value)
    assert words in str(caught.value)


def test_every_error_at_once() -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse("EndTime: soon\n\nMessage: x\n", "n.conf")
    assert len(caught.value.errors) == 3


def test_it_is_shown_from_its_start_until_its_end() -> None:
    notification = Notification("x", 200.0, 100.0)
    assert [notification.is_shown(now) for now in (99.0, 100.0, 199.0, 200.0)] == [False, True, True, False]
    assert Notification("x", 200.0).is_shown(0.0)


def test_a_change_makes_another_one() -> None:
    ids = {
        Notification("x", 1.0).id,
        Notification("y", 1.0).id,
        Notification("x", 2.0).id,
        Notification("x", 1.0, 0.5).id,
    }
    assert len(ids) == 4


def test_no_file(tmp_path: Path) -> None:
    assert load({"RSTUDIO_CONFIG_DIR": str(tmp_path)}) == ()

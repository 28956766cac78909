import os
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.notifications_file import LOOK_SECONDS, NotificationsFile
from tests.rserver.doubles import ThreadsAtOnce


class Desk:
    """The administrator's, with the file on it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.clock, self.now = folder / "notifications.conf", Clock(), 1_772_000_000.0
        self.file = NotificationsFile(self.clock, ThreadsAtOnce(), lambda: self.now)
        Deferred.fromCoroutine(self.file.keep_looking())

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self.clock.advance(LOOK_SECONDS)

    @property
    def shown(self) -> list[str]:
        return [each.message for each in self.file.shown()]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(tmp_path))
    return Desk(tmp_path)


def test_what_is_written_is_shown_changed_and_taken_back(desk: Desk) -> None:
    assert desk.shown == []
    desk.write("EndTime: 2100-01-01\nMessage: First.\n")
    assert desk.shown == ["First."]
    desk.write("EndTime: 2100-01-01\nMessage: Second one.\n")
    assert desk.shown == ["Second one."]
    desk.path.unlink()
    desk.clock.advance(LOOK_SECONDS)
    assert desk.shown == []


def test_only_while_it_is_time(desk: Desk) -> None:
    desk.write("StartTime: 2026-03-01 10:00Z\nEndTime: 2026-03-01 11:00Z\nMessage: Now.\n")
    assert desk.shown == []
    desk.now = 1_772_359_200.0
    assert desk.shown == ["Now."]
    desk.now += 3600
    assert desk.shown == []


def test_a_file_with_errors_changes_nothing(desk: Desk) -> None:
    desk.write("EndTime: 2100-01-01\nMessage: Good.\n")
    desk.write("EndTime: never\nMessage: Bad.\n")
    assert desk.shown == ["Good."]
    desk.write("EndTime: 2100-01-01\nMessage: Good again.\n")
    assert desk.shown == ["Good again."]


def test_a_file_that_did_not_change_is_not_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("EndTime: 2100-01-01\nMessage: Once.\n")
    before = os.stat(desk.path)
    desk.path.write_text("EndTime: 2100-01-01\nMessage: 0nce.\n")
    os.utime(desk.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    desk.clock.advance(LOOK_SECONDS)
    assert desk.shown == ["Once."]

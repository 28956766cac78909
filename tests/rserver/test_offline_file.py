import os
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from rserver.offline_file import LOOK_SECONDS, OfflineFile
from tests.rserver.doubles import ThreadsAtOnce


@pytest.fixture
def threads() -> ThreadsAtOnce:
    return ThreadsAtOnce()


def test_the_file_is_noticed_and_its_end_too(tmp_path: Path, threads: ThreadsAtOnce) -> None:
    path, clock, gone = tmp_path / "offline", Clock(), list[str]()

    def seen() -> tuple[str | None, int]:
        clock.advance(LOOK_SECONDS)
        return file.message, len(gone)

    file = OfflineFile(clock, threads, path, lambda: gone.append("offline"))
    Deferred.fromCoroutine(file.keep_looking())
    assert seen() == (None, 0)
    path.write_text("Back at 14:00.\nmore\n")
    assert seen() == ("Back at 14:00.", 1)
    path.write_text("Back at 15:00.")
    assert seen() == ("Back at 15:00.", 1)
    path.unlink()
    assert seen() == (None, 1)
    path.touch()
    assert seen() == ("", 2)


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.symlink("/nonexistent", path)])
def test_that_it_is_there_is_what_counts(tmp_path: Path, threads: ThreadsAtOnce, make: Callable[[Path], None]) -> None:
    make(tmp_path / "offline")
    file = OfflineFile(Clock(), threads, tmp_path / "offline", lambda: None)
    Deferred.fromCoroutine(file.look())
    assert file.message == ""


def test_what_cannot_be_printed_is_left_out(tmp_path: Path, threads: ThreadsAtOnce) -> None:
    (tmp_path / "offline").write_bytes(b"  soon\x1b[2J \xff\n" + b"x" * 10_000)
    file = OfflineFile(Clock(), threads, tmp_path / "offline", lambda: None)
    Deferred.fromCoroutine(file.look())
    assert file.message == "soon[2J \ufffd"


def test_what_cannot_be_looked_at_is_as_it_was(
    tmp_path: Path, threads: ThreadsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "offline"
    path.touch()
    file = OfflineFile(Clock(), threads, path, lambda: None)
    Deferred.fromCoroutine(file.look())
    path.unlink()
    monkeypatch.setattr(threads, "run", lambda _: fail(PermissionError()))
    Deferred.fromCoroutine(file.look())
    assert file.message == ""

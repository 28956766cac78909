"""Temporary folders of R processes that could not remove them."""

import os
import signal
from pathlib import Path

import pytest

from rsession.services.temporary_folders import remove_orphans
from rsession.temporary_note import NAME, own
from tests.rsession.running import RunningSession, evaluate, ready


def _folder(parent: Path, *changes: tuple[int, str]) -> Path:
    """A folder of this process; changes: words of its note by place."""
    folder = parent / f"Rtmp{len(list(parent.iterdir()))}"
    folder.mkdir()
    words = own().split(" ")
    for place, word in changes:
        words[place] = word
    (folder / NAME).write_text(" ".join(words))
    return folder


def test_a_process_that_runs_keeps_its_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    remove_orphans(str(tmp_path))
    assert folder.exists()


@pytest.mark.parametrize("change", [(1, "1"), (3, "another boot")], ids=["a reused number", "before a reboot"])
def test_one_that_has_ended_loses_it(tmp_path: Path, change: tuple[int, str]) -> None:
    folder = _folder(tmp_path, change)
    remove_orphans(str(tmp_path))
    assert not folder.exists()


@pytest.mark.parametrize("place", [2, 4], ids=["machine", "container"])
def test_what_cannot_be_seen_from_here_is_left_alone(tmp_path: Path, place: int) -> None:
    folder = _folder(tmp_path, (1, "1"), (place, "elsewhere"))
    remove_orphans(str(tmp_path))
    assert folder.exists()


@pytest.mark.parametrize("note", ["", "1", "x y z", "1 1 1 1 1 1 1"])
def test_a_note_of_somebody_else_means_nothing(tmp_path: Path, note: str) -> None:
    folder = tmp_path / "Rtmpx"
    folder.mkdir()
    (folder / NAME).write_text(note)
    (tmp_path / "Rtmpwithout").mkdir()
    (tmp_path / "Rtmplink").symlink_to(folder)
    remove_orphans(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.r
def test_the_next_session_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    with RunningSession(environment={"TMPDIR": str(tmp_path)}) as session:
        stream = ready(session)
        killed = Path(evaluate(session, stream, "cat(tempdir())"))
        assert session.process is not None
        os.kill(session.pid, signal.SIGKILL)
        session.process.wait(10)
        assert killed.exists()
        session.launch()
        stream = ready(session)
        evaluate(session, stream, f"while (file.exists('{killed}')) Sys.sleep(0.01)")
        assert [path.name for path in tmp_path.iterdir()] == [evaluate(session, stream, "cat(basename(tempdir()))")]

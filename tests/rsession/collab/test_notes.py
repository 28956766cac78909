"""Notes in a folder where others write too."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsession.collab import notes
from rsession.collab.notes import Note

NOTE = Note("a" * 21, "b" * 8, "folder/a.R", 12.5, "c" * 16, 3.0)


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path
    notes.write(folder, NOTE)
    (read,) = notes.read_all(folder)
    assert read == NOTE
    assert abs(read.seen - time.time()) < 60
    notes.write(folder, replace(NOTE, epoch=""))
    assert notes.read_all(folder)[0].epoch == ""
    notes.remove(folder, NOTE)
    assert notes.read_all(folder) == []
    assert list(folder.iterdir()) == []


def test_the_folder_has_the_rights_of_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".Rproj.user").mkdir(parents=True)
    project.chmod(0o2770)
    folder = notes.make_folder(str(project))
    assert folder.stat().st_mode & 0o7777 == 0o3770
    notes.write(folder, NOTE)
    assert (folder / NOTE.file_name).stat().st_mode & 0o777 == 0o660
    project.chmod(0o755)
    assert notes.make_folder(str(project)) == folder


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".Rproj.user").mkdir(parents=True)
    (project / ".Rproj.user" / "shared").symlink_to(tmp_path)
    with pytest.raises(OSError, match="is a link"):
        notes.make_folder(str(project))


def test_a_note_that_nobody_renews_does_not_count(tmp_path: Path) -> None:
    notes.write(tmp_path, NOTE)
    long_ago = time.time() - notes.STALE_SECONDS - 1
    os.utime(tmp_path / NOTE.file_name, (long_ago, long_ago))
    assert notes.read_all(tmp_path) == []


def test_nobody_is_newest_by_a_wrong_clock(tmp_path: Path) -> None:
    notes.write(tmp_path, replace(NOTE, changed=1e300))
    assert notes.read_all(tmp_path)[0].changed <= time.time()


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"session": "d" * 21},
        {"session": 5},
        {"document": "../../../x"},
        {"path": "/etc/passwd"},
        {"path": "../up"},
        {"path": "a/../../up"},
        {"path": ".."},
        {"path": ""},
        {"path": "a\0b"},
        {"path": "x" * 5000},
        {"changed": -1},
        {"changed": True},
        {"changed": float("nan")},
        {"since": "1"},
        {"epoch": "zz"},
        {"epoch": None},
        {"more": 1},
    ],
)
def test_what_is_no_note_is_passed_over(tmp_path: Path, changes: dict[str, Any]) -> None:
    fields = {
        "version": 1,
        "session": "a" * 21,
        "document": "b" * 8,
        "path": "a.R",
        "changed": 1,
        "epoch": "",
        "since": 0,
    }
    path = tmp_path / NOTE.file_name
    path.write_text(json.dumps(fields))
    assert len(notes.read_all(tmp_path)) == 1
    path.write_text(json.dumps({**fields, **changes}))
    assert notes.read_all(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"{}" + b" " * 10_000])
def test_what_cannot_be_read_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NOTE.file_name).write_bytes(content)
    assert notes.read_all(tmp_path) == []


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    notes.write(tmp_path, NOTE)
    target = tmp_path / "target"
    (tmp_path / NOTE.file_name).rename(target)
    (tmp_path / NOTE.file_name).symlink_to(target)
    os.mkfifo(tmp_path / f"{'e' * 21}-{'b' * 8}.json")
    (tmp_path / f"{'f' * 21}-{'b' * 8}.json").mkdir()
    assert notes.read_all(tmp_path) == []

"""Which files changed."""

from pathlib import Path

import pytest

from rsession.remote import changed_files
from rsession.remote.changed_files import changed, look


def test_new_written_and_untouched_ones(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("a")
    (tmp_path / "grows").write_text("a")
    before = look(str(tmp_path))
    (tmp_path / "grows").write_text("ab")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "new").touch()
    assert changed(before, look(str(tmp_path))) == ["grows", "sub/new"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "file").symlink_to("/etc/passwd")
    assert look(str(tmp_path)) == {}


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert look(str(tmp_path / "gone")) == {}


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_files, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / str(number)).touch()
    assert len(look(str(tmp_path))) == 3

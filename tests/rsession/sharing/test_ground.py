"""What a folder tells of sharing before anything is shared."""

import os
import subprocess
from pathlib import Path

import pytest

from rsession.sharing.ground import let_in, obstacle, told


def test_who_is_let_in_by_the_lists_of_the_folder(tmp_path: Path) -> None:
    assert let_in(str(tmp_path)) == []
    own = os.getuid()
    subprocess.run(["setfacl", "-m", f"u:{own}:rwx,u:1:rwx,u:2:---,u:987654:x", str(tmp_path)], check=True)
    assert let_in(str(tmp_path)) == ["987654", "daemon"]
    subprocess.run(["setfacl", "-d", "-m", "u:3:r", str(tmp_path)], check=True)
    subprocess.run(["setfacl", "-m", "m::---", str(tmp_path)], check=True)
    assert let_in(str(tmp_path)) == ["sys"]
    assert "lets in: sys. " in told(["sys"])
    assert "a, b, c, d, e and 1 more" in told(list("abcdef"))
    assert let_in(str(tmp_path / "gone")) == []


@pytest.mark.root
@pytest.mark.parametrize(("options", "why"), [("", "keeps no access"), ("ro", "read-only")])
def test_what_a_file_system_cannot_do_is_told_beforehand(tmp_path: Path, options: str, why: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    assert obstacle(str(folder), str(tmp_path)) == ""
    extra = ["-o", options] if options else []
    subprocess.run(["mount", "-t", "ramfs", *extra, "none", str(folder)], check=True)
    try:
        assert why in obstacle(str(folder), str(tmp_path))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.root
def test_a_folder_of_somebody_else_on_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "theirs" / "project"
    folder.mkdir(parents=True)
    assert obstacle(str(folder), str(tmp_path)) == ""
    os.chown(folder.parent, 1, 1)
    assert str(folder.parent) in obstacle(str(folder), str(tmp_path))

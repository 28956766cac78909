"""Where the server keeps what it tells of shared projects: only in a folder in which nobody else replaces files."""

import os
from pathlib import Path

import pytest

from rserver.sharing.project_files import CannotKeep, ProjectFiles


def test_the_folder_is_made_and_used_again(tmp_path: Path) -> None:
    files = ProjectFiles(str(tmp_path / "storage"))
    files.make()
    files.make()
    assert Path(files.path).stat().st_mode & 0o7777 == 0o1755


def test_a_sticky_folder_of_all_will_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    ProjectFiles(str(tmp_path)).make()


def test_where_others_rename_it_nothing_is_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(CannotKeep, match="can be written by others than the server"):
        ProjectFiles(str(tmp_path)).make()


@pytest.mark.root
@pytest.mark.parametrize("foreign", ["storage", "storage/shared-projects"])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, foreign: str) -> None:
    """Also one that he made with the sticky bit: it does not bind a folder's owner."""
    files = ProjectFiles(str(tmp_path / "storage"))
    os.makedirs(files.path)
    os.chown(tmp_path / foreign, 65534, 65534)
    (tmp_path / foreign).chmod(0o1777)
    with pytest.raises(CannotKeep, match=f"{foreign} belongs to nobody, who could change"):
        files.make()
    assert (tmp_path / foreign).stat().st_mode & 0o7777 == 0o1777

"""What is kept in a project's own folder is nothing that git is to keep."""

import os
import subprocess
from pathlib import Path

import pytest

from rserver_core.session_id import new_session_id
from rsession.presence.folder import SentryFolder
from rsession.projects.scope import FOLDER


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "trees"
    folder.mkdir()
    (folder / "model.R").touch()
    git(folder, "init", "-q")
    return folder


def test_git_does_not_see_presence(project: Path) -> None:
    users = project / FOLDER / "shared" / "users"
    SentryFolder(str(project), str(new_session_id(1000))).open()
    (users / "somebody").touch()
    assert git(project, "status", "--porcelain", "-uall") == "?? model.R\n"


def test_git_does_not_see_presence_where_the_folder_was_there(project: Path) -> None:
    (project / FOLDER).mkdir()
    SentryFolder(str(project), str(new_session_id(1000))).open()
    (project / FOLDER / "shared" / "users" / "somebody").touch()
    assert git(project, "status", "--porcelain", "-uall") == "?? model.R\n"


def test_what_git_is_told_already_stays(project: Path) -> None:
    ignored = project / FOLDER / ".gitignore"
    ignored.parent.mkdir()
    ignored.write_text("mine\n")
    SentryFolder(str(project), str(new_session_id(1000))).open()
    assert ignored.read_text() == "mine\n"
    ignored.unlink()
    SentryFolder(str(project), str(new_session_id(1000))).open()
    assert not ignored.exists()


@pytest.mark.root
@pytest.mark.parametrize("uid", [0, 12345])
def test_only_the_own_link_is_followed(project: Path, tmp_path: Path, uid: int) -> None:
    target, link = tmp_path / "elsewhere", project / FOLDER
    target.mkdir()
    link.symlink_to("../elsewhere")
    os.lchown(link, uid, uid)
    folder = SentryFolder(str(project), str(new_session_id(1000)))
    if uid == os.geteuid():
        folder.open()
        assert os.fstat(folder.descriptor).st_ino == (target / "shared" / "users").stat().st_ino
        folder.end()
    else:
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            folder.open()
        assert list(target.iterdir()) == []

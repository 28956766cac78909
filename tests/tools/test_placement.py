"""A checkout that other users cannot read is copied to where they can."""

import os
import stat
from pathlib import Path

import pytest

from tools import placement
from tools.steps import SetUpError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    root = tmp_path / "private" / "checkout"
    (root / "rserver").mkdir(parents=True)
    (root / "rserver" / "master.py").write_text("pass\n")
    (root / "rsession_run.sh").write_text("#!/bin/sh\n")
    (root / "rsession_run.sh").chmod(0o700)
    for name in (".git", ".venv", "ide/node_modules", "ide/dist", "rserver/__pycache__"):
        (root / name).mkdir(parents=True)
        (root / name / "file").touch()
    return root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_parent_or_file_makes_it_unreadable(tmp_path: Path) -> None:
    root = Path("/tmp") / f"rserver-placement-{os.getpid()}"
    package = root / "rserver"
    package.mkdir(parents=True)
    try:
        (package / "a.py").touch(mode=0o644)
        assert placement.is_readable_by_all(root)
        (package / "a.py").chmod(0o600)
        assert not placement.is_readable_by_all(root)
        (package / "a.py").chmod(0o644)
        root.chmod(0o700)
        assert not placement.is_readable_by_all(root)
    finally:
        (package / "a.py").unlink()
        package.rmdir()
        root.rmdir()


def test_copy_is_readable_and_has_the_sources_only(checkout: Path, tmp_path: Path) -> None:
    (checkout / "rserver" / "master.py").chmod(0o600)
    target = tmp_path / "target"
    placement.copy_to_target(checkout, target)
    assert mode(target / "rserver" / "master.py") == 0o644
    assert mode(target / "rsession_run.sh") == 0o755
    assert sorted(path.name for path in target.iterdir()) == [".copied-from", "rserver", "rsession_run.sh"]
    assert [path.name for path in (target / "rserver").iterdir()] == ["master.py"]


def test_second_copy_follows_changes_and_keeps_what_was_built(checkout: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    placement.copy_to_target(checkout, target)
    (target / ".venv").mkdir()
    (target / "rserver" / "_shim.so").touch()
    (checkout / "rserver" / "master.py").write_text("changed = 1\n")
    (checkout / "rsession_run.sh").unlink()
    placement.copy_to_target(checkout, target)
    assert (target / "rserver" / "master.py").read_text() == "changed = 1\n"
    assert not (target / "rsession_run.sh").exists()
    assert (target / ".venv").exists()
    assert (target / "rserver" / "_shim.so").exists()


def test_what_somebody_else_put_there_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "theirs").touch()
    with pytest.raises(SetUpError, match="not ours"):
        placement.copy_to_target(checkout, target)
    assert (target / "theirs").exists()

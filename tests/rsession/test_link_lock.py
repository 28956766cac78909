"""One writer at a time, also across processes, and none for ever."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsession.link_lock import link_lock
from rsession.projects.records import Recent, add_recent, forget_recent, note_project_id, recent_projects

ROOT = Path(__file__).resolve().parents[2]
_WRITER = """
import sys
from pathlib import Path
from rsession.projects.records import Recent, add_recent, note_project_id
state, name = Path(sys.argv[1]), sys.argv[2]
for number in range(3):
    add_recent(state, "/home/x", Recent(f"/home/x/{name}{number}/p.Rproj"))
    note_project_id(state, "/home/x", f"{ord(name):07x}{number}", f"/home/x/{name}{number}")
"""


def test_sessions_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, state, name], cwd=ROOT) for name in "abcde"]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 5
    assert len({recent.file for recent in recent_projects(state, "/home/x")}) == 15
    lines = (state / "projects_settings/project-id-mappings").read_text().splitlines()
    assert len(lines) == 15
    assert f'{ord("a"):07x}0="~/a0"' in lines
    assert [path.name for path in state.rglob(".*") if path.is_file()] == []


def test_a_lock_that_is_held_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with link_lock(path), pytest.raises(TimeoutError, match="another session"), link_lock(path):
        pass
    with link_lock(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_dead_process_is_void(tmp_path: Path) -> None:
    path, lock = tmp_path / "list", tmp_path / ".list.lock"
    for left in (lock, tmp_path / ".list.part", tmp_path / ".list.host.1.abcdef"):
        left.touch()
        os.utime(left, (time.time() - 60, time.time() - 60))
    with link_lock(path):
        assert lock.stat().st_mtime > time.time() - 30
    assert list(tmp_path.iterdir()) == []


def test_what_other_programs_keep_stays(tmp_path: Path) -> None:
    mappings = tmp_path / "projects_settings" / "project-id-mappings"
    mappings.parent.mkdir()
    mappings.write_text('0123456789abc="/shared"\nodd line\n')
    note_project_id(tmp_path, "/home/x", "01234567", '/srv/a "b" \\c')
    note_project_id(tmp_path, "/home/x", "01234567", '/srv/a "b" \\c')
    note_project_id(tmp_path, "/home/x", "01234567", "/home/x/new")
    assert mappings.read_text() == '0123456789abc="/shared"\nodd line\n01234567="~/new"\n'


def test_the_list_keeps_names_and_loses_what_is_forgotten(tmp_path: Path) -> None:
    add_recent(tmp_path, "/home/x", Recent("/home/x/a/a.Rproj", "Named"))
    add_recent(tmp_path, "/home/x", Recent("/home/xy/b.Rproj"))
    add_recent(tmp_path, "/home/x", Recent("/bad\nname/c.Rproj"))
    assert recent_projects(tmp_path, "/home/x") == [Recent("/home/xy/b.Rproj"), Recent("/home/x/a/a.Rproj", "Named")]
    assert (tmp_path / "monitored/lists/project_name_mru").read_text() == "/home/xy/b.Rproj\n~/a/a.Rproj\tNamed\n"
    forget_recent(tmp_path, "/home/x", "/home/x/a")
    assert recent_projects(tmp_path, "/home/x") == [Recent("/home/xy/b.Rproj")]

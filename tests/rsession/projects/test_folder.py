"""Finding a project in a folder that anybody may have filled."""

import os
from pathlib import Path

import pytest

from rsession.projects.folder import (
    CannotOpen,
    Refusal,
    create_project,
    open_project,
    project_file,
    read_project_file,
)
from rsession.projects.rproj import DEFAULT


def refusal_of(path: Path | str) -> Refusal:
    with pytest.raises(CannotOpen) as refused:
        open_project(str(path))
    assert str(refused.value)
    return refused.value.refusal


def test_a_project_is_made_with_its_folder_and_opened(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "Thesis ✓"
    file = create_project(str(folder))
    assert file == f"{folder}/Thesis ✓.Rproj"
    assert Path(file).read_text() == DEFAULT
    project = open_project(f"{folder}/")
    assert (project.folder, project.file, project.name, project.problem) == (str(folder), file, "Thesis ✓", "")
    assert create_project(str(folder)) == file


def test_a_project_is_opened_by_its_file(tmp_path: Path) -> None:
    for name in ("one.Rproj", "two.Rproj"):
        (tmp_path / name).write_text("ProjectName: Of " + name)
    assert open_project(str(tmp_path / "one.Rproj")).name == "Of one.Rproj"
    assert refusal_of(tmp_path / "none" / "x.Rproj") is Refusal.GONE


def test_of_several_files_the_one_named_like_the_folder_counts_else_the_one_changed_last(tmp_path: Path) -> None:
    for number, name in enumerate(("b.Rproj", "a.Rproj", "c.Rproj")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (number, 10 - abs(number - 1)))
    assert project_file(str(tmp_path)) == f"{tmp_path}/a.Rproj"
    (tmp_path / f"{tmp_path.name}.Rproj").touch()
    os.utime(tmp_path / f"{tmp_path.name}.Rproj", (0, 0))
    assert project_file(str(tmp_path)) == f"{tmp_path}/{tmp_path.name}.Rproj"


def test_each_reason_against_it_has_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal_of(tmp_path / "gone") is Refusal.GONE
    assert refusal_of(tmp_path / "file") is Refusal.NOT_A_FOLDER
    assert refusal_of(tmp_path) is Refusal.NO_PROJECT_FILE
    assert refusal_of(tmp_path / ("x" * 300)) is Refusal.NOT_READABLE
    (tmp_path / "loop").symlink_to("loop")
    assert refusal_of(tmp_path / "loop") is Refusal.NOT_READABLE


def test_only_regular_files_count(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.Rproj")
    (tmp_path / "folder.Rproj").mkdir()
    (tmp_path / "device.Rproj").symlink_to("/dev/zero")
    (tmp_path / "nowhere.Rproj").symlink_to("nowhere")
    (tmp_path / ".Rproj").touch()
    assert refusal_of(tmp_path) is Refusal.NO_PROJECT_FILE
    assert refusal_of(tmp_path / "fifo.Rproj") is Refusal.NO_PROJECT_FILE
    with pytest.raises(OSError, match="no regular file"):
        read_project_file(str(tmp_path / "fifo.Rproj"))


def test_a_huge_file_costs_its_settings_not_the_session(tmp_path: Path) -> None:
    with (tmp_path / "huge.Rproj").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    project = open_project(str(tmp_path))
    assert "larger than 1024 KiB" in project.problem


def test_a_linked_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("ProjectName: Linked")
    (tmp_path / "link.Rproj").symlink_to("real")
    assert open_project(str(tmp_path)).name == "Linked"


@pytest.mark.parametrize("name", ["two\nlines", 'quo"te', "<b>bold", "ünïcödé 日本語", "  blanks ", "$HOME", "-rf"])
def test_names_of_every_kind(tmp_path: Path, name: str) -> None:
    create_project(str(tmp_path / name))
    assert open_project(str(tmp_path / name)).name == name


def test_nothing_is_made_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        create_project(str(tmp_path / "file"))
    folder = tmp_path / "trap"
    folder.mkdir()
    (folder / "trap.Rproj").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        create_project(str(folder))
    assert not (tmp_path / "elsewhere").exists()

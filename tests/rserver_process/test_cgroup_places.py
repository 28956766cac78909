"""Which controllers a group of version 2 hands on, in directories that look like one; guests have the real thing."""

from pathlib import Path

import pytest

from rserver_process import kernel_files
from rserver_process.cgroup_places import LIMITS, Places, _enable


def parent(folder: Path, available: str, enabled: str = "", **files: str) -> str:
    (folder / "cgroup.controllers").write_text(available)
    (folder / "cgroup.subtree_control").write_text(enabled)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return str(folder)


def test_the_root_of_all_groups_may_have_processes(tmp_path: Path) -> None:
    assert _enable(parent(tmp_path, "cpuset cpu memory pids", cgroup_procs="1\n"), LIMITS) == set(LIMITS)
    assert (tmp_path / "cgroup.subtree_control").read_text().startswith("+")


def test_another_group_only_when_it_is_empty(tmp_path: Path) -> None:
    made = parent(tmp_path, "memory pids", cgroup_type="domain\n", cgroup_procs="")
    assert _enable(made, LIMITS) == {"memory", "pids"}


def test_processes_that_cannot_be_moved_forbid_it(tmp_path: Path) -> None:
    """What is enabled already is used all the same."""
    made = parent(tmp_path, "memory pids", "pids", cgroup_type="domain\n", cgroup_procs="4711\n")
    assert _enable(made, LIMITS) == {"pids"}
    assert (tmp_path / "cgroup.subtree_control").read_text() == "pids"


def test_one_that_the_kernel_refuses_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: str, text: str) -> None:
        if text == "+cpu":
            raise OSError(22, "Invalid argument")
        Path(path).write_text(text)

    made = parent(tmp_path, "cpu memory pids")
    monkeypatch.setattr(kernel_files, "write", write)
    assert _enable(made, LIMITS) == {"memory", "pids"}


def test_no_group_of_version_2_has_none(tmp_path: Path) -> None:
    assert _enable(str(tmp_path / "nothing"), LIMITS) == set()


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (
            Places(("/u",), "/u", frozenset(LIMITS), ()),
            "memory by cgroup v2, processors by cgroup v2, processes by cgroup v2",
        ),
        (
            Places(("/u",), "/u", frozenset({"pids"}), (("memory", "/m"),)),
            "memory by cgroup v1, processors not at all, processes by cgroup v2",
        ),
    ],
)
def test_what_the_log_says(places: Places, words: str) -> None:
    assert places.describe() == words
    assert places.every[0] == "/u"

"""Control groups of sessions; the kernel's own where this machine lets us, a plain directory never passes for one."""

import os
import subprocess
from pathlib import Path

import pytest

from rserver_process import cgroup
from rserver_process.cgroup import HierarchyGroup, NoCgroup

SESSION = "c" * 21
LEGACY = Path("/sys/fs/cgroup/pids")


def spawn_in(group: cgroup.Cgroup) -> subprocess.Popen[bytes]:
    """A program in the group, in a process session of its own."""
    return subprocess.Popen(["sleep", "1000"], preexec_fn=group.join, start_new_session=True)


@pytest.mark.root
def test_group_ends_what_left_its_process_session() -> None:
    """A daemon that did setsid is out of reach for signals to the session, not for the group."""
    group = cgroup.create(SESSION, os.getpid())
    if isinstance(group, NoCgroup):
        pytest.skip("this machine gives us no control group")
    child = spawn_in(group)
    group.kill()
    assert child.wait(10) == -9
    group.remove()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/rserver-{SESSION}-*"))
    group.remove()


@pytest.mark.root
def test_a_forked_child_is_in_the_group_from_its_first_instruction() -> None:
    """And the parent is not."""
    group = cgroup.create(SESSION, os.getpid())
    pid = group.fork()
    if pid == 0:
        inside = f"rserver-{SESSION}-{os.getppid()}" in Path("/proc/self/cgroup").read_text()
        os._exit(0 if inside or isinstance(group, NoCgroup) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert SESSION not in Path("/proc/self/cgroup").read_text()
    group.remove()


@pytest.mark.root
def test_group_of_a_lost_keeper_is_cleared_by_its_name() -> None:
    """Session and keeper make the name; one that is not there is no error."""
    group = cgroup.create(SESSION, 99)
    if isinstance(group, NoCgroup):
        pytest.skip("this machine gives us no control group")
    child = spawn_in(group)
    cgroup.clear(SESSION, 98, 1.0)
    assert child.poll() is None
    cgroup.clear(SESSION, 99, 1.0)
    assert child.wait(10) == -9
    cgroup.clear(SESSION, 99, 1.0)


@pytest.mark.root
def test_sweep_removes_what_is_empty_and_nobodys() -> None:
    """Not a group with processes in it, not that of a keeper that lives."""
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    empty, busy, kept = (cgroup.create(SESSION, pid) for pid in (ended.pid, 4194304, os.getpid()))
    if isinstance(empty, NoCgroup):
        pytest.skip("this machine gives us no control group")
    child = spawn_in(busy)
    cgroup.sweep()
    assert left_groups() == {str(os.getpid()), "4194304"}
    busy.kill()
    child.wait(10)
    for group in (busy, kept):
        group.remove()
    assert left_groups() == set()


def left_groups() -> set[str]:
    """Keepers' pids in the names of groups of our session."""
    return {path.name.rpartition("-")[2] for path in Path("/sys/fs/cgroup").glob(f"**/rserver-{SESSION}-*")}


@pytest.mark.root
@pytest.mark.skipif(not os.access(LEGACY, os.W_OK), reason="no hierarchy of version 1")
def test_version_one_kills_one_by_one() -> None:
    """It has no cgroup.kill."""
    path = LEGACY / f"rserver-{SESSION}-1"
    path.mkdir()
    group = HierarchyGroup(str(path))
    children = [spawn_in(group) for _ in range(3)]
    group.kill()
    assert [child.wait(10) for child in children] == [-9] * 3
    group.remove()
    assert not path.exists()


def test_directory_that_is_no_group_stays_empty(tmp_path: Path) -> None:
    """Orders are not written into files that we would make ourselves."""
    group = HierarchyGroup(str(tmp_path))
    group.join()
    group.kill()
    assert list(tmp_path.iterdir()) == []


def test_no_group_is_normal() -> None:
    """Every order is obeyed by doing nothing."""
    group = NoCgroup()
    group.join()
    group.kill()
    group.remove()

"""Limits of memory and what is used of them, as files of the kernel tell."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rserver_core.memory_limit import MemoryLimit, limit_of
from rserver_core.size_words import in_words

LEGACY = Path("/sys/fs/cgroup/memory")
GIGABYTE = 1 << 30


def group(parent: Path, files: dict[str, str], name: str = "rserver-" + "a" * 21 + "-1") -> str:
    """A directory that looks like a control group, of one session by its name."""
    folder = parent / name
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return str(folder)


def test_version_2_counts_what_cannot_be_dropped(tmp_path: Path) -> None:
    stat = "anon 700\nfile 300\ninactive_file 200\nactive_file 90\nslab_reclaimable 10\n"
    folder = group(tmp_path, {"memory.current": "1000\n", "memory.stat": stat, "memory.events": "oom 2\noom_kill 3\n"})
    limit = MemoryLimit("self", 1400, folder, folder, unified=True)
    use = limit.use()
    assert (use.used, use.charged, use.limit, use.share) == (700, 1000, 1400, 0.5)
    assert limit.ended() == 3


def test_version_1_counts_what_cannot_be_dropped(tmp_path: Path) -> None:
    stat = "cache 300\ninactive_file 1\ntotal_inactive_file 200\ntotal_active_file 100\n"
    control = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"
    folder = group(tmp_path, {"memory.usage_in_bytes": "1000", "memory.stat": stat, "memory.oom_control": control})
    limit = MemoryLimit("self", 1400, folder, folder)
    assert (limit.use().used, limit.ended()) == (700, 1)


def test_what_was_ended_in_a_group_of_many_may_be_anybodys(tmp_path: Path) -> None:
    folder = group(tmp_path, {"memory.events": "oom_kill 3\n"}, "container")
    limit = MemoryLimit("self", 1400, folder, folder, unified=True)
    assert limit.is_shared
    assert limit.ended() == 0


def test_a_group_that_is_gone_is_an_error_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="memory"):
        MemoryLimit("self", 1, str(tmp_path / "gone"), "", unified=True).use()


@contextmanager
def real_group(name: str, limit: int) -> Iterator[Path]:
    """Of version 1, with a limit."""
    path = Path(f"{LEGACY}/{name}")
    path.mkdir()
    (path / "memory.limit_in_bytes").write_text(str(limit))
    try:
        yield path
    finally:
        path.rmdir()


@pytest.mark.root
@pytest.mark.skipif(not os.access(LEGACY / "tasks", os.W_OK), reason="no memory hierarchy of version 1")
def test_the_lowest_limit_above_a_process_counts() -> None:
    name = f"rst-{os.getpid()}"
    with real_group(name, GIGABYTE), real_group(f"{name}/inner", 2 * GIGABYTE) as inner:
        child = subprocess.Popen(["sleep", "100"])
        try:
            (inner / "cgroup.procs").write_text(str(child.pid))
            found = limit_of(child.pid)
            assert found is not None
            assert (found.limit, found.group, found.own) == (GIGABYTE, str(inner.parent), str(inner))
            assert found.is_shared
            assert 0 < found.use().charged < GIGABYTE
        finally:
            child.kill()
            child.wait()


def test_an_rlimit_is_a_limit_too() -> None:
    child = subprocess.Popen(["prlimit", f"--data={GIGABYTE}", "sleep", "100"])
    try:
        wait_for_exec(child.pid)
        found = limit_of(child.pid)
        assert found is not None
        assert (found.limit, found.is_shared, found.ended()) == (GIGABYTE, False, 0)
        assert 0 < found.use().used < 1 << 24
    finally:
        child.kill()
        child.wait()
    assert limit_of(child.pid) is None


def wait_for_exec(pid: int) -> None:
    """Until prlimit has become what it runs."""
    while Path(f"/proc/{pid}/cmdline").read_bytes()[:6] != b"sleep\0":
        os.sched_yield()


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 MB"), (850 << 20, "850 MB"), (1023 << 20, "1023 MB"), (4 << 30, "4 GB"), (4402341479, "4.1 GB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words

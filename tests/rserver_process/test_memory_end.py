"""Whose memory was used up when the kernel ended a session."""

import os
import time
from pathlib import Path

import pytest

from rserver_process import memory_end
from rserver_process.cgroup_places import Places
from rserver_process.memory_end import MemoryEnd

GROUP, PID = "rserver-" + "a" * 21 + "-1", 4711
FULL = {"memory.max": "1000000", "memory.peak": "999999", "memory.events": "oom 1\noom_kill 1\n"}


def line(whose: str, pid: int, seconds_ago: float = 1.0) -> str:
    """A record of the kernel's log."""
    micro = int((time.monotonic() - seconds_ago) * 1e6)
    return (
        f"3,447,{micro},-;{whose} of memory: Killed process {pid} (R) total-vm:149112kB, anon-rss:2048kB, "
        "file-rss:2824kB, shmem-rss:1024kB, UID:12345 pgtables:272kB oom_score_adj:0\n"
    )


class Machine:
    """A group of version 2, and a log that is read record by record as the kernel's is."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch
        (folder / GROUP).mkdir()
        places = Places((), str(folder), frozenset({"memory"}), ())
        patch.setattr(memory_end, "places", lambda: places)
        self.log()

    def group(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self._folder / GROUP / name).write_text(text)

    def log(self, *records: str) -> None:
        read_end, write_end = os.pipe2(os.O_DIRECT | os.O_NONBLOCK)
        for record in records:
            os.write(write_end, record.encode())
        self._patch.setattr(memory_end, "_LOG", f"/proc/self/fd/{read_end}")
        self._kept = read_end, write_end

    def close_log(self) -> None:
        self._patch.setattr(memory_end, "_LOG", str(self._folder / "nothing"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def end() -> MemoryEnd | None:
    return memory_end.memory_end(GROUP, PID)


def test_the_limit_of_the_session(machine: Machine) -> None:
    machine.group({**FULL, "memory.max": "4000000", "memory.peak": "4000000"})
    machine.log(line("Memory cgroup out", 1), line("Memory cgroup out", PID), "6,1,1,-;nothing\n")
    assert end() == MemoryEnd("limit", 4000000, 4000000)


def test_a_limit_around_the_server(machine: Machine) -> None:
    machine.log(line("Memory cgroup out", PID))
    assert end() == MemoryEnd("outer", 3 << 20, 0)
    machine.group({**FULL, "memory.peak": "500000"})
    machine.log(line("Memory cgroup out", PID))
    assert end() == MemoryEnd("outer", 3 << 20, 0)


def test_the_whole_machine(machine: Machine) -> None:
    machine.group(FULL)
    machine.log(line("Out", PID))
    assert end() == MemoryEnd("machine", 3 << 20, 1000000)


def test_another_process_an_old_record_or_none(machine: Machine) -> None:
    machine.group(FULL)
    for records in ((), (line("Out", PID + 1),), (line("Out", PID, 600.0),)):
        machine.log(*records)
        assert end() is None


def test_a_program_cannot_pretend_by_its_name(machine: Machine) -> None:
    machine.group(FULL)
    machine.log(f"3,447,{int(time.monotonic() * 1e6)},-;traps: Out of memory: Killed process {PID} (x)[1] trap\n")
    assert end() is None


def test_the_counters_where_the_log_is_closed(machine: Machine) -> None:
    machine.close_log()
    assert end() is None
    machine.group(FULL)
    assert end() == MemoryEnd("limit", 999999, 1000000)

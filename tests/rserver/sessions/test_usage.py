import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.sessions.machine import State, Status
from rserver.sessions.session import Session
from rserver.sessions.usage import FRESH_SECONDS, Sample, Usage, UsageMeter, read_tree
from tests.rserver.doubles import HungThreads, ThreadsAtOnce, record

BUSY = "import sys, subprocess; c = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=1); c.wait()"
CHILD = "x = b'x' * 60_000_000; sum(range(6_000_000)); print('ready', flush=True); input()"


def running(session_id: str = "a" * 21, pid: int = 100) -> Session:
    session = Session(session_id, "alice", 1001)
    session.status = Status(State.RUNNING, record(session_id, pid=pid))
    return session


def measured(meter: UsageMeter, *sessions: Session) -> dict[str, Usage]:
    results: list[Any] = []
    Deferred.fromCoroutine(meter.measure(sessions)).addBoth(results.append)
    usage: dict[str, Usage] = results[0]
    return usage


class Machine:
    """Processes that use half a processor."""

    def __init__(self) -> None:
        self.clock, self.looks = Clock(), 0

    def read(self, _pid: int, _started: int) -> Sample | None:
        self.looks += 1
        now = self.clock.seconds()
        return Sample(100 + now, 7 + now / 2, 5_000_000)


def test_processor_time_is_counted_between_two_looks() -> None:
    machine = Machine()
    meter = UsageMeter(machine.clock, ThreadsAtOnce(), machine.read)
    session = running()
    measured(meter, session)
    machine.clock.advance(4)
    assert measured(meter, session) == {session.id: Usage(50.0, 5_000_000)}


def test_many_who_ask_cause_one_look() -> None:
    machine = Machine()
    meter = UsageMeter(machine.clock, ThreadsAtOnce(), machine.read)
    for _ in range(50):
        measured(meter, running())
    assert machine.looks == 1
    machine.clock.advance(FRESH_SECONDS)
    measured(meter, running())
    assert machine.looks == 2


def test_sessions_without_a_process_use_nothing() -> None:
    machine = Machine()
    meter = UsageMeter(machine.clock, ThreadsAtOnce(), machine.read)
    assert measured(meter, Session("b" * 21, "alice", 1001)) == {}
    assert machine.looks == 0


def test_a_proc_that_hangs_holds_nobody_up_for_long() -> None:
    clock = Clock()
    results: list[Any] = []
    waiting = Deferred.fromCoroutine(UsageMeter(clock, HungThreads()).measure([running()]))
    waiting.addBoth(results.append)
    clock.advance(1)
    assert results == [{}]


def test_a_real_tree_of_processes() -> None:
    argv = [sys.executable, "-c", BUSY, CHILD]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        started = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])
        sample = read_tree(process.pid, started)
        other = read_tree(process.pid, started + 1)
        process.communicate(b"\n")
    assert sample is not None
    assert sample.memory_bytes > 50_000_000
    assert sample.cpu_seconds > 0.02
    assert other is None
    assert read_tree(process.pid, started) is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 5])
def test_processes_that_cannot_be(pid: int) -> None:
    assert read_tree(pid, 1) is None
    assert os.getpid() != pid

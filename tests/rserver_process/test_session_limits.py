"""Limits of a profile on real sessions of real accounts, by this machine's control groups."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rserver_core.launch_wire import SessionRecord
from rserver_core.profiles import published
from rserver_core.profiles.file import parse
from rserver_core.profiles.profile import Profile
from rserver_process import cgroup, session_limits
from rserver_process.cgroup_places import Places, places
from rserver_process.event_loop import Loop
from tests.rserver_process.forked import in_child
from tests.rserver_process.sessions import World, world
from tests.rserver_process.turning import turn_until
from tests.system.accounts import Account

pytestmark = pytest.mark.root

needs_memory = pytest.mark.skipif(
    "by cgroup" not in places().describe().partition(",")[0], reason="no control group holds memory here"
)
needs_pids = pytest.mark.skipif(
    "by cgroup" not in places().describe().rpartition(",")[2], reason="no control group holds processes here"
)
NO_PLACES = Places((), None, frozenset(), ())

# Takes megabytes of memory as asked through its socket, or forks.
PROGRAM = """
import os, resource, socket, sys, time
# Whatever the test gets wrong, it must not take the machine along.
resource.setrlimit(resource.RLIMIT_NPROC, (300, 300))
listener = socket.socket(fileno=3)
listener.listen(16)
held = []
while True:
    peer, _ = listener.accept()
    word, number = peer.recv(100).decode().split()
    answer = "ok"
    if word == "take":
        held.append(b"x" * (int(number) << 20))
    elif word == "child":
        pid = os.fork()
        if pid == 0:
            b"x" * (int(number) << 20)
            os._exit(0)
        answer = str(os.waitpid(pid, 0)[1])
    elif word == "fork":
        made = []
        try:
            for _ in range(int(number)):
                pid = os.fork()
                if pid == 0:
                    os.read(os.pipe()[0], 1)
                made.append(pid)
        except OSError as error:
            answer = f"{len(made)} {type(error).__name__}"
        for pid in made:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    elif word == "spin":
        while True:
            pass
    elif word == "bomb":
        while True:
            try:
                os.fork()
            except OSError:
                pass
    peer.sendall(answer.encode())
    peer.close()
"""


@contextmanager
def limited(loop: Loop, profiles: str) -> Iterator[World]:
    """Sessions under these profiles."""
    with world(loop, PROGRAM) as made:
        published.write(str(made.folder), parse(profiles, "profiles"))
        yield made


def say(record: SessionRecord, words: str, seconds: float = 30) -> str:
    """Ask a session; "" when it ended meanwhile."""
    import socket

    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(seconds)
        sock.connect(record.socket)
        sock.sendall(words.encode())
        try:
            return sock.recv(100).decode()
        except ConnectionResetError:
            return ""


def groups_of(*records: SessionRecord) -> list[Path]:
    """Control groups of these sessions."""
    names = [cgroup.name(record.session, record.keeper_pid) for record in records]
    return [path for name in names for path in Path("/sys/fs/cgroup").glob(f"**/{name}")]


@needs_memory
def test_who_takes_too_much_is_ended_and_nobody_else(loop: Loop, user: Account, stranger: Account) -> None:
    with limited(loop, f"[{user.name}]\nmax-memory-mb=100\n") as made:
        one, other = made.launch(user.name, 1), made.launch(stranger.name, 2)
        assert say(one, "take 50") == say(other, "take 150") == "ok"
        assert say(one, "take 80") == ""
        end = made.end_of(one)
        assert end.signal == 9
        assert end.memory is not None
        assert (end.memory.by, end.memory.limit) == ("limit", 100 << 20)
        assert 90 << 20 < end.memory.used <= 101 << 20
        assert say(other, "take 1") == "ok"
        made.keepers.signal(other.session, "KILL")
        turn_until(loop, lambda: not made.keepers.attended())
        assert groups_of(one, other) == []


@needs_memory
def test_a_child_that_is_ended_takes_nobody_along(loop: Loop, user: Account) -> None:
    with limited(loop, "[*]\nmax-memory-mb=100\n") as made:
        record = made.launch(user.name)
        assert say(record, "child 200") == "9"
        assert say(record, "take 1") == "ok"
        made.keepers.signal(record.session, "KILL")
        assert made.end_of(record).memory is None


@needs_pids
def test_processes_of_one_session_do_not_count_for_another(loop: Loop, user: Account) -> None:
    with limited(loop, "[*]\nmax-processes=16\n") as made:
        one, two = made.launch(user.name, 1), made.launch(user.name, 2)
        for record in (one, two, one):
            assert say(record, "fork 40") == "15 BlockingIOError"
        assert say(one, "fork 10") == "ok"


@needs_pids
def test_a_fork_bomb_leaves_others_alone_and_can_be_ended(loop: Loop, user: Account, stranger: Account) -> None:
    with limited(loop, "[*]\nmax-processes=24\nmax-cpus=0.3\n") as made:
        bomb, other = made.launch(user.name, 1), made.launch(stranger.name, 2)
        with pytest.raises(TimeoutError):
            say(bomb, "bomb 1", 1.0)
        assert say(other, "fork 20") == "ok"
        made.keepers.signal(bomb.session, "KILL")
        assert made.end_of(bomb).signal == 9
        turn_until(loop, lambda: made.keepers.attended() == 1)
        assert groups_of(bomb) == []
        assert say(other, "take 1") == "ok"


def test_processor_time_is_held(loop: Loop, user: Account) -> None:
    if "processors by cgroup" not in places().describe():
        pytest.skip("no control group holds processor time here")
    with limited(loop, "[*]\nmax-cpus=0.2\n") as made:
        record = made.launch(user.name)
        before, begun = processor_seconds(record.pid), time.monotonic()
        with pytest.raises(TimeoutError):
            say(record, "spin 1", 2.0)
        used = processor_seconds(record.pid) - before
        assert used <= 0.2 * (time.monotonic() - begun) * 1.5


def processor_seconds(pid: int) -> float:
    """Of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_files_order_and_processors(loop: Loop, user: Account) -> None:
    with limited(loop, "[*]\nmax-open-files=277\nnice=7\ncpu-affinity=1,900\n") as made:
        record = made.launch(user.name)
        limits = Path(f"/proc/{record.pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if "open files" in line).split()[3:5] == ["277", "277"]
        assert os.getpriority(os.PRIO_PROCESS, record.pid) == 7
        assert os.sched_getaffinity(record.pid) == {0}


def test_a_group_counts_for_its_members(loop: Loop, user: Account, stranger: Account) -> None:
    """Accounts of the tests have a group of their own name."""
    with limited(loop, f"[@{user.name}]\nnice=3\n[@nosuchgroup]\nnice=9\n") as made:
        record, other = made.launch(user.name, 1), made.launch(stranger.name, 2)
        assert os.getpriority(os.PRIO_PROCESS, record.pid) == 3
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_text("nonsense"), "the profiles cannot be read"),
        (lambda path: path.write_text('[["*", {"cpu_affinity": [900]}]]'), "none of the processors of cpu-affinity"),
    ],
)
def test_who_cannot_be_limited_is_not_started(
    loop: Loop, user: Account, damage: Callable[[Path], object], words: str
) -> None:
    with limited(loop, "") as made:
        damage(made.folder / published.FILE_NAME)
        refused = made.try_launch(user.name)
        assert not isinstance(refused, SessionRecord)
        assert refused.code == "failed"
        assert words in refused.message
        turn_until(loop, lambda: not made.keepers.attended())
        assert made.files() == set()


def test_without_control_groups_rlimits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_limits, "places", lambda: NO_PLACES)

    def limits() -> tuple[int, int]:
        session_limits.hold(Profile(max_memory_mb=200, max_processes=100, max_cpus=1.0), "group")
        return resource.getrlimit(resource.RLIMIT_DATA)[0], resource.getrlimit(resource.RLIMIT_NPROC)[1]

    assert in_child(limits) == (200 << 20, 100)
    assert NO_PLACES.describe() == (
        "memory by rlimit, for each process by itself, processors not at all, "
        "processes by rlimit, for all sessions of a user together"
    )


def test_nothing_is_ever_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_limits, "places", lambda: NO_PLACES)

    def limits() -> tuple[int, int]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
        session_limits.hold(Profile(max_open_files=5000), "group")
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_child(limits) == (200, 200)


def test_an_account_with_too_many_processes_reads_why_nothing_starts(
    loop: Loop, user: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without control groups the limit counts all that the account runs."""
    monkeypatch.setattr(session_limits, "places", lambda: NO_PLACES)
    many = "for _ in range(20): os.fork() or os.execvp('sleep', ['sleep', '100'])"
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import os; os.setresgid({user.gid}, {user.gid}, {user.gid}); "
            f"os.setresuid({user.uid}, {user.uid}, {user.uid})\n{many}\nprint('ready', flush=True); os.wait()",
        ],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with child, limited(loop, "[*]\nmax-processes=16\n") as made:
        assert child.stdout
        child.stdout.readline()
        refused = made.try_launch(user.name)
        os.killpg(child.pid, signal.SIGKILL)
    assert not isinstance(refused, SessionRecord)
    assert refused.message == "the account runs as many processes as it may"

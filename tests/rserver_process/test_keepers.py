"""Sessions held by keepers: start, sockets, ends, restarts. Without PAM, with real accounts."""

import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_core.launch_wire import SessionRecord
from rserver_process.event_loop import Loop
from rserver_process.keepers import LaunchRefused, UnknownSession
from rserver_process.process_table import start_ticks
from rserver_process.run_records import SessionExit
from tests.rserver_process.forked import in_child
from tests.rserver_process.sessions import (
    LEFT_BEHIND,
    World,
    ask,
    children_of,
    is_gone,
    mode_of,
    session_name,
    spec,
    world,
)
from tests.rserver_process.turning import turn_until
from tests.system.accounts import Account, processes_of

pytestmark = pytest.mark.root


@pytest.fixture
def stub(loop: Loop) -> Iterator[World]:
    """Keepers whose sessions answer on their socket."""
    with world(loop) as made:
        yield made


def test_session_runs_as_its_user_with_its_own_socket(stub: World, user: Account) -> None:
    """Connections made before it listens wait in the backlog."""
    record = stub.launch(user.name)
    assert ask(record.socket) == [record.pid, user.uid, 0]
    assert (record.user, record.uid, record.gid) == (user.name, user.uid, user.uid)
    assert record.pid_start == start_ticks(record.pid)
    assert record.keeper_start == start_ticks(record.keeper_pid)
    assert abs(record.started - time.time()) < 30
    assert mode_of(record.socket) == ("srw-rw----", user.uid, os.getegid())
    assert mode_of(os.path.dirname(record.socket))[0] == "drwx--x--x"
    assert stub.keepers.records() == [record] == stub.started


def test_peer_credentials_after_the_second_listen_are_the_sessions(stub: World, user: Account) -> None:
    """Which is how the server knows that it speaks to the user's process."""
    record = stub.launch(user.name)
    ask(record.socket)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(record.socket)
        pid, uid, gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert (pid, uid, gid) == (record.pid, user.uid, user.uid)


def test_third_account_cannot_connect(loop: Loop, user: Account, stranger: Account) -> None:
    """The owner and the server's group can, nobody else; nobody but root can list the folder."""
    with world(loop, server_gid=50) as made:
        record = made.launch(user.name)

        def connect_as(uid: int, groups: list[int]) -> list[int]:
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            return ask(record.socket)

        assert in_child(lambda: connect_as(user.uid, []))[2] == user.uid
        assert in_child(lambda: connect_as(65534, [50]))[2] == 65534
        with pytest.raises(RuntimeError, match="PermissionError"):
            in_child(lambda: connect_as(stranger.uid, []))
        with pytest.raises(RuntimeError, match="PermissionError"):
            in_child(lambda: list_as(user.uid, made.folder / "sessions"))


def list_as(uid: int, folder: Path) -> list[str]:
    """ls of another account."""
    os.setuid(uid)
    return os.listdir(folder)


@pytest.mark.parametrize(
    ("program", "code", "number", "tail"),
    [
        ("import sys; print('out'); sys.exit('last words')", 1, None, "out\nlast words\n"),
        ("import os; os.kill(os.getpid(), 11)", None, 11, ""),
        ("print('x' * 20000 + 'end')", 0, None, "x" * 8188 + "end\n"),
        ("import os; os.write(2, b'\\xff\\xfe\\x00')", 0, None, "\ufffd\ufffd\x00"),
    ],
)
def test_end_is_reported_once_with_the_end_of_its_output(
    loop: Loop, user: Account, program: str, code: int | None, number: int | None, tail: str
) -> None:
    """Code or signal, and the last 8 KiB of both outputs; nothing is left in the run directory."""
    with world(loop, program) as made:
        record = made.launch(user.name)
        assert made.end_of(record) == SessionExit(record.session, record.pid, code, number, tail)
        turn_until(loop, lambda: is_gone(record.keeper_pid))
        loop.turn(0.01)
        assert len(made.exited) == 1
        assert made.keepers.records() == []
        assert made.files() == set()


def test_session_that_closes_its_outputs_is_still_attended(loop: Loop, user: Account) -> None:
    """And the keeper does not spin on the closed pipe."""
    program = "import os, time; os.close(1); os.close(2); time.sleep(0.5); os._exit(6)"
    with world(loop, program) as made:
        record = made.launch(user.name)
        assert made.end_of(record).code == 6


def test_stampede_for_one_session_starts_one_process(stub: World, user: Account) -> None:
    """Fifty at once: one record, forty-nine times the same with `exists`; later ones as well."""
    results: list[SessionRecord | LaunchRefused] = []
    for _ in range(50):
        stub.keepers.launch(spec(user.name), results.append)
    turn_until(stub.loop, lambda: len(results) == 50)
    record = results[0]
    assert isinstance(record, SessionRecord)
    assert results[1:] == [LaunchRefused("exists", "this session runs already", record)] * 49
    assert stub.try_launch(user.name) == results[1]
    assert len(stub.started) == 1
    assert processes_of(user.uid) == [record.pid]


def test_too_many_starts_at_once_are_refused(loop: Loop, user: Account) -> None:
    """Each may hang in PAM; those that are under way are not harmed."""
    with world(loop, most_launching=3) as made:
        results: list[SessionRecord | LaunchRefused] = []
        for number in range(5):
            made.keepers.launch(spec(user.name, number), results.append)
        turn_until(loop, lambda: len(results) == 5)
        assert sorted(r.code for r in results if isinstance(r, LaunchRefused)) == ["busy", "busy"]
        assert len(made.keepers.records()) == 3
        assert isinstance(made.try_launch(user.name, 9), SessionRecord)


@pytest.mark.parametrize("name", ["root", "daemon", "rsc-nobody-here", "-x"])
def test_accounts_without_a_session(stub: World, name: str) -> None:
    """Whatever the worker asks for."""
    result = stub.try_launch(name)
    assert isinstance(result, LaunchRefused)
    assert result.code == "refused"
    assert stub.files() == set()


def test_root_is_refused_also_under_another_name(stub: World) -> None:
    """A second entry with uid 0, and a user whose group is root's."""
    import subprocess

    for name, *options in (("rsctoor", "-o", "-u", "0"), ("rscgroup", "-g", "0")):
        subprocess.run(["useradd", "-M", *options, name], check=True, capture_output=True)
        try:
            result = stub.try_launch(name)
        finally:
            subprocess.run(["userdel", "-f", name], check=False, capture_output=True)
        assert isinstance(result, LaunchRefused)
        assert result.code == "refused"


def test_program_that_cannot_be_executed(loop: Loop, user: Account) -> None:
    """The shell runs and says why; a missing shell script is a failed session, not a lost one."""
    with world(loop, run_script="/nonexistent/run.sh") as made:
        record = made.launch(user.name)
        end = made.end_of(record)
        assert end.code in {2, 127}
        assert "/nonexistent/run.sh" in end.stderr_tail


@pytest.mark.parametrize("arguments", [["x" * 5000], ["x" * 120_000] * 60])
def test_too_large_arguments_are_a_refusal(stub: World, user: Account, arguments: list[str]) -> None:
    """The limits of the wire hold once more in the process that would execute them."""
    result = stub.try_launch(user.name, 1, *arguments)
    assert isinstance(result, LaunchRefused)
    assert result.code == "failed"
    turn_until(stub.loop, lambda: stub.files() == set())


def test_session_starts_clean(loop: Loop, user: Account) -> None:
    """Session, group, descriptors, signals, home, environment, umask."""
    program = """
import os, signal, sys
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
print([fd for fd in fds if os.path.exists(f"/proc/self/fd/{fd}")])
print(os.readlink("/proc/self/fd/0"), os.getcwd(), oct(os.umask(0)), os.getsid(0) == os.getpgrp() == os.getpid())
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
print(status["SigBlk"], status["CapEff"], status["NoNewPrivs"], status["Groups"].split(), sys.argv[1:])
print(sorted(os.environ.items()))
print(open("/proc/self/stat").read().rpartition(")")[2].split()[4])
"""
    leak = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leak, True)
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        with world(loop, program, environment={"TZ": "UTC"}, umask=0o027) as made:
            end = made.end_of(made.launch(user.name, 1, "--a", "b c", R_HOME="/usr/lib/R"))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGHUP, former)
        os.close(leak)
    lines = end.stderr_tail.splitlines()
    assert lines[0] == "[0, 1, 2, 3]"
    assert lines[1] == f"/dev/null {user.home} 0o27 True"
    assert lines[2] == f"0000000000000000 0000000000000000 0 ['{user.uid}'] ['--a', 'b c']"
    environment = dict(eval(lines[3]))
    assert environment.pop("PWD", str(user.home)) == str(user.home)
    assert environment.keys() - {"_", "LC_CTYPE", "OLDPWD", "SHLVL"} == {
        *("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TZ", "R_HOME")
    }
    assert lines[4] == "0", "there is a controlling terminal"


def test_signals_of_the_parent_are_not_inherited(loop: Loop, user: Account) -> None:
    """Ignored ones either: nohup must not make every R session deaf to hang-ups."""
    program = 'print([l for l in open("/proc/self/status") if l.startswith("SigIgn")])'
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with world(loop, program) as made:
            tail = made.end_of(made.launch(user.name)).stderr_tail
    finally:
        signal.signal(signal.SIGHUP, former)
    ignored = int(tail.split("\\t")[1].split("\\n")[0], 16)
    # Python itself ignores SIGPIPE and SIGXFSZ; 32 and 33 belong to the C library, which lets nobody change them.
    assert ignored & ~(1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1) | 3 << 31) == 0


def test_home_that_is_not_there(loop: Loop) -> None:
    """The session starts in / and says so."""
    import subprocess

    subprocess.run(["useradd", "--no-create-home", "rscnohome"], check=True, capture_output=True)
    try:
        with world(loop, "import os; print(os.getcwd())") as made:
            end = made.end_of(made.launch("rscnohome"))
    finally:
        subprocess.run(["userdel", "-f", "rscnohome"], check=True, capture_output=True)
    assert end.code == 0
    assert (
        "cannot enter the home directory /home/rscnohome: No such file or directory; starting in /\n/\n"
        in end.stderr_tail
    )


def test_signals_reach_the_session(loop: Loop, user: Account) -> None:
    """Each by name; a session that is gone is unknown."""
    program = """
import signal, sys
names = ["INT", "USR1", "USR2", "TERM"]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.Signals["SIG" + n] for n in names})
print("ready", flush=True)
for n in names: print(signal.sigwait({signal.Signals["SIG" + n]}).name, flush=True)
"""
    with world(loop, program) as made:
        record = made.launch(user.name)
        turn_until(loop, lambda: blocked(record.pid))
        for name in ("INT", "USR1", "USR2", "TERM"):
            made.keepers.signal(record.session, name)
        assert made.end_of(record).stderr_tail == "ready\nSIGINT\nSIGUSR1\nSIGUSR2\nSIGTERM\n"
        with pytest.raises(UnknownSession):
            made.keepers.signal(record.session, "TERM")
        with pytest.raises(UnknownSession):
            made.keepers.signal("f" * 21, "KILL")


def blocked(pid: int) -> bool:
    """True once the process has blocked SIGTERM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigBlk:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def test_keeper_passes_a_termination_on(stub: World, user: Account) -> None:
    """The machine is shut down: the session is told, its end is written down."""
    record = stub.launch(user.name)
    ask(record.socket)
    for harmless in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        os.kill(record.keeper_pid, harmless)
    assert ask(record.socket)[0] == record.pid
    os.kill(record.keeper_pid, signal.SIGTERM)
    assert stub.end_of(record).signal == signal.SIGTERM


@pytest.mark.parametrize("way", ["kill", "end"])
def test_what_a_session_left_behind_is_ended(loop: Loop, user: Account, way: str) -> None:
    """Children, their groups, also those deaf to a polite request; the exit is reported without waiting for them."""
    with world(loop, LEFT_BEHIND) as made:
        record = made.launch(user.name, 1, "1000" if way == "kill" else "1")
        turn_until(loop, lambda: children_of(record, 3))
        if way == "kill":
            made.keepers.signal(record.session, "KILL")
        made.end_of(record)
        turn_until(loop, lambda: not processes_of(user.uid))
        turn_until(loop, lambda: is_gone(record.keeper_pid))


def test_two_hundred_sessions_in_a_row_leak_nothing(loop: Loop, user: Account) -> None:
    """No descriptor, no process, no file, no group."""
    with world(loop, run_script="/dev/null") as made:
        made.end_of(made.launch(user.name, 0))
        turn_until(loop, lambda: not made.keepers.attended())
        before, groups_before = len(os.listdir("/proc/self/fd")), groups()
        for number in range(1, 201):
            made.end_of(made.launch(user.name, number))
        turn_until(loop, lambda: not made.keepers.attended())
        assert len(os.listdir("/proc/self/fd")) == before
        assert made.files() == set()
        assert groups() == groups_before


def groups() -> set[str]:
    """Control groups of the tests' sessions."""
    return {path.name for path in Path("/sys/fs/cgroup").glob(f"*/rserver-{session_name(0)[:-3]}*")}


def test_without_root_only_ones_own_sessions(user: Account, stranger: Account) -> None:
    """Single-user mode: sockets below 0700, no change of uid, nobody else's session."""

    def as_user() -> list[object]:
        os.setgroups([])
        os.setgid(user.uid)
        os.setuid(user.uid)
        os.environ["TMPDIR"] = str(user.home)
        with world(Loop()) as made:
            record = made.launch(user.name)
            other = made.try_launch(stranger.name, 2)
            assert isinstance(other, LaunchRefused)
            folder = mode_of(str(made.folder / "sessions"))[0]
            return [ask(record.socket)[1:], mode_of(record.socket)[0], folder, other.code]

    assert in_child(as_user) == [[user.uid, user.uid], "srw-------", "drwx------", "refused"]

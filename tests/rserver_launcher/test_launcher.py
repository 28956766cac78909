"""The launcher as a process, over its channel."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rserver_core.frame import encode, greeting
from tests.rserver.worker_process import wait_until
from tests.rserver_launcher.launcher_process import PROGRAM, LauncherProcess, launcher
from tests.rserver_process.sessions import is_gone, session_name
from tests.system.accounts import Account, processes_of

pytestmark = pytest.mark.root

ONE, TWO = session_name(1), session_name(2)


def ask(path: str) -> list[int]:
    """Pid and uid of the stub, our uid as it sees it."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(path)
        return [int(word) for word in sock.recv(100).split()]


def test_launch_list_signal_and_exit(options: dict[str, Any], user: Account) -> None:
    """The whole protocol once."""
    with launcher(options) as process:
        assert process.greeting == {"version": [1, 0], "role": "launcher"}
        record = process.launch(user.name, ONE)["session"]
        assert process.event("started", ONE)["session"] == record
        assert ask(record["socket"]) == [record["pid"], user.uid, 0]
        assert process.request(op="list")["sessions"] == [record]
        assert process.launch(user.name, ONE)["error"] == {
            "code": "exists",
            "message": "this session runs already",
            "session": record,
        }
        assert process.request(op="signal", session=ONE, signal="TERM")["ok"] is True
        assert process.event("exited", ONE) == {
            "event": "exited",
            "session": ONE,
            "pid": record["pid"],
            "code": None,
            "signal": 15,
            "stderr_tail": "",
            "memory": None,
            "checkpoint": None,
            "by": "",
        }
        assert process.request(op="list")["sessions"] == []
        assert process.request(op="signal", session=ONE, signal="TERM")["error"]["code"] == "unknown_session"


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "reboot"}, {"op": 7}, {}, {"op": "launch"}, {"op": "launch", "launch": []},
        {"op": "launch", "launch": {"session": "x", "user": "ann"}},
        {"op": "launch", "launch": {"session": ONE, "user": "-rf"}},
        {"op": "launch", "launch": {"session": ONE, "user": "ann", "argv": "x"}},
        {"op": "launch", "launch": {"session": ONE, "user": "ann", "argv": ["a\0b"]}},
        {"op": "launch", "launch": {"session": ONE, "user": "ann", "env": {"lower-case": "x"}}},
        {"op": "signal", "session": ONE, "signal": "STOP"}, {"op": "signal", "session": "../x", "signal": "TERM"},
        {"op": "check_password", "user": "ann", "password": "x"},
    ],
)  # fmt: skip
def test_bad_requests_are_answered(options: dict[str, Any], fields: dict[str, Any]) -> None:
    """And the next good one as well."""
    with launcher(options) as process:
        assert process.request(**fields)["error"]["code"] == "bad_request"
        assert process.request(op="list")["sessions"] == []


@pytest.mark.parametrize("name", ["root", "daemon", "rsc-nobody-here"])
def test_policy_holds_whatever_the_worker_asks(options: dict[str, Any], name: str) -> None:
    """No session for root and system accounts."""
    with launcher(options) as process:
        assert process.launch(name, ONE)["error"]["code"] == "refused"


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\x02[]", encode({"op": "list"}), encode({"id": "1"})])
def test_nonsense_ends_the_launcher_not_the_sessions(options: dict[str, Any], user: Account, data: bytes) -> None:
    """Whoever speaks so is no master of ours."""
    process = LauncherProcess(options)
    record = process.launch(user.name, ONE)["session"]
    process.send_bytes(data)
    with pytest.raises(ConnectionError):
        process.receive(lambda message: message.get("never") is True)
    assert process.close() == 0
    with launcher(options) as successor:
        assert successor.request(op="list")["sessions"] == [record]


@pytest.mark.parametrize(
    "hello", [{"version": [2, 0], "role": "master"}, greeting("master", options={}), greeting("worker")]
)
def test_wrong_greeting_ends_the_launcher(hello: dict[str, Any]) -> None:
    """Another major version, another role, or options that are not all there."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        PROGRAM, preexec_fn=lambda: os.dup2(theirs.fileno(), 3), close_fds=False, stderr=subprocess.PIPE
    )
    theirs.close()
    ours.sendall(encode(hello))
    _, stderr = process.communicate(timeout=20)
    ours.close()
    assert process.returncode == 0
    assert b"broke the protocol" in stderr
    assert b"Traceback" not in stderr


def test_without_a_channel_it_does_not_start() -> None:
    """Started by hand."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec 3<&-; exec "$@"', "sh", *PROGRAM], capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert b"only rserver starts this program" in done.stderr


@pytest.mark.parametrize("way", ["close", "kill"])
def test_sessions_outlive_the_launcher(options: dict[str, Any], user: Account, way: str) -> None:
    """Same process, same socket; the successor knows it, signals it, and hears of its end with code and last words."""
    process = LauncherProcess(options)
    record = process.launch(user.name, ONE)["session"]
    ask(record["socket"])
    if way == "kill":
        os.kill(process.pid, signal.SIGKILL)
    process.close()
    assert ask(record["socket"])[0] == record["pid"]
    with launcher(options) as successor:
        assert successor.request(op="list")["sessions"] == [record]
        assert successor.launch(user.name, ONE)["error"]["session"] == record
        successor.request(op="signal", session=ONE, signal="TERM")
        assert successor.event("exited", ONE)["signal"] == 15


def test_end_without_a_launcher_is_told_by_the_next(options: dict[str, Any], user: Account) -> None:
    """At its start."""
    process = LauncherProcess(options)
    record = process.launch(user.name, ONE)["session"]
    ask(record["socket"])
    os.kill(process.pid, signal.SIGKILL)
    process.close()
    os.kill(record["pid"], signal.SIGSEGV)
    wait_until_gone(record["keeper_pid"])
    with launcher(options) as successor:
        assert successor.event("exited", ONE)["signal"] == signal.SIGSEGV
        assert successor.request(op="list")["sessions"] == []


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    select.select([pidfd], [], [], 20)
    os.close(pidfd)
    assert is_gone(pid)


def test_killed_keeper_and_killed_launcher(options: dict[str, Any], user: Account) -> None:
    """The session still runs, is found, and is cleared away at its end."""
    process = LauncherProcess(options)
    record = process.launch(user.name, ONE)["session"]
    ask(record["socket"])
    os.kill(record["keeper_pid"], signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    process.close()
    with launcher(options) as successor:
        assert successor.request(op="list")["sessions"] == [record]
        assert ask(record["socket"])[0] == record["pid"]
        successor.request(op="signal", session=ONE, signal="KILL")
        end = successor.event("exited", ONE)
        assert (end["code"], end["signal"]) == (None, None)
    assert os.listdir(Path(options["server-data-dir"]) / "sessions") == [f"{ONE}.exit"]


def test_fifty_requests_at_once(options: dict[str, Any], user: Account) -> None:
    """One process, fifty answers, one event."""
    with launcher(options) as process:
        spec = {"session": ONE, "user": user.name, "argv": [], "env": {}}
        for number in range(100, 150):
            process.send({"id": number, "op": "launch", "launch": spec})
        answers = [process.receive(lambda m, n=number: m.get("id") == n) for number in range(100, 150)]  # type: ignore[misc]
        record = answers[0]["session"]
        assert {answer["error"]["code"] for answer in answers[1:]} == {"exists"}
        # It answers when its login scripts, which start others, are done.
        assert ask(record["socket"])[0] == record["pid"]
        assert processes_of(user.uid) == [record["pid"]]


def open_files(process: Path) -> list[str]:
    """What its descriptors lead to, sorted; a descriptor closed meanwhile is left out."""
    found = []
    for fd in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(fd).split(":")[0])
    return sorted(found)


def test_keeper_has_nothing_of_the_launcher(options: dict[str, Any], user: Account) -> None:
    """No channel, no terminal, no standard error of the server: /dev/null, the session's output, its own channel."""
    with launcher(options) as process:
        record = process.launch(user.name, ONE)["session"]
        keeper = Path("/proc") / str(record["keeper_pid"])
        # The answer comes as soon as the session runs; a moment later the keeper waits for its end.
        wait_until(lambda: open_files(keeper) == ["/dev/null"] * 3 + ["anon_inode", "pipe", "socket"])
        fields = (keeper / "stat").read_text().rpartition(")")[2].split()
        assert int(fields[3]) == record["keeper_pid"], "not its own process session"
        assert fields[4] == "0", "has a terminal"
        assert (keeper / "comm").read_text() == "rserver-keeper\n"
        assert os.readlink(keeper / "cwd") == "/"


def test_real_configuration_reaches_the_session(options: dict[str, Any], user: Account, folder: Path) -> None:
    """The configuration directory and the language of the server, nothing else of its environment."""
    (folder / "rsession").write_text("#!/usr/bin/python3 -IS\nimport os; print(sorted(os.environ.items()))\n")
    env = {"RSTUDIO_CONFIG_DIR": str(folder), "LANG": "C.UTF-8", "SECRET": "x", "TZ": "Europe/Vienna"}
    with launcher(options, **env) as process:
        process.launch(user.name, ONE, R_HOME="/usr/lib/R")
        seen = dict(eval(process.event("exited", ONE)["stderr_tail"]))
    assert seen["RSTUDIO_CONFIG_DIR"] == str(folder)
    assert seen["TZ"] == "Europe/Vienna"
    assert seen["R_HOME"] == "/usr/lib/R"
    assert "SECRET" not in seen


def test_login_profile_that_ends_the_shell_is_a_failed_start(options: dict[str, Any], user: Account) -> None:
    """With its exit code and its last words for the failure page."""
    profile = user.home / ".bash_profile"
    profile.write_text("echo no quota left >&2\nexit 1\n")
    try:
        with launcher(options) as process:
            process.launch(user.name, TWO)
            end = process.event("exited", TWO)
    finally:
        profile.unlink()
    assert (end["code"], end["signal"], end["stderr_tail"]) == (1, None, "no quota left\n")


def test_a_reload_counts_for_the_next_session(options: dict[str, Any], user: Account) -> None:
    with launcher(options) as process:
        record = process.launch(user.name, ONE)["session"]
        stricter = {**options, "auth-minimum-user-id": user.uid + 1}
        assert process.request(op="reload", options=stricter)["ok"] is True
        assert process.launch(user.name, TWO)["error"]["code"] == "refused"
        assert ask(record["socket"])[0] == record["pid"]
        assert process.request(op="reload", options=options)["ok"] is True
        assert "session" in process.launch(user.name, TWO)

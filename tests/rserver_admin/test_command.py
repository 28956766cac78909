"""The verbs on a real server with real sessions."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver_admin.command import answer_of, ask, places, rstudio_server
from tests.system.accounts import Account, account
from tests.system.at_prompt import at_prompt
from tests.system.running_server import ROOT, RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = pytest.mark.root


@pytest.fixture
def ann() -> Iterator[Account]:
    with account("rsf") as made:
        yield made


@pytest.fixture
def visitor(server: RunningServer, ann: Account) -> Visitor:
    """Ann with a session at its prompt."""
    return at_prompt(server, ann)


def _sessions(server: RunningServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer_of(ask(server, "active-sessions", "--json"))["sessions"]
    return found


def _await_end(pid: int) -> None:
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watch], [], [], 30)[0]
    finally:
        os.close(watch)


def _state_of(visitor: Visitor, session: str) -> dict[str, Any]:
    """How the list shows it once its end is known."""
    _await_state(visitor, session)
    return dict(visitor.get(f"/api/sessions/{session}").json())


def _await_state(visitor: Visitor, session: str) -> None:
    """Until the server knows that the session has ended."""
    while visitor.get(f"/api/sessions/{session}").json()["state"] == "running":
        continue


def test_an_unknown_verb_shows_the_usage(server: RunningServer) -> None:
    done = rstudio_server("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr
    assert "active-sessions" in done.stderr
    assert rstudio_server("--help").returncode == 0


def test_a_session_must_be_named(server: RunningServer) -> None:
    done = ask(server, "suspend-session")
    assert (done.returncode, done.stderr) == (
        2,
        "rstudio-server: suspend-session takes one PID|ID. See rstudio-server --help.\n",
    )
    assert ask(server, "kill-session", "1").returncode == 1
    assert ask(server, "status", "1").returncode == 2


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["bogus"], "no verb 'bogus'"),
        (["suspend-all", "5"], "takes no argument"),
        (["kill-session"], "takes one PID|ID"),
        (["kill-session", "1", "2"], "takes one PID|ID"),
        (["status", "--nonsense"], "is no option"),
        ([], "no verb was given"),
    ],
)
def test_wrong_use_is_one_sentence_and_json_where_it_is_wanted(words: list[str], problem: str) -> None:
    plain, told = rstudio_server(*words), rstudio_server(*words, "--json")
    assert plain.returncode == told.returncode == 2
    assert len(plain.stderr.splitlines()) == 1
    assert problem.lower() in plain.stderr.lower()
    assert "--help" in plain.stderr
    assert answer_of(told) == {"error": plain.stderr.rstrip("\n")}
    assert told.stderr == ""


def test_status_tells_pid_address_and_sessions(server: RunningServer) -> None:
    state = answer_of(ask(server, "status", "--json"))
    assert (state["running"], state["pid"]) == (True, server.master_pid)
    assert state["addresses"] == [f"http://127.0.0.1:{server.port}/"]
    shown = ask(server, "status")
    assert shown.returncode == 0
    assert str(server.master_pid) in shown.stdout


def test_status_of_a_server_that_does_not_run(tmp_path: Path) -> None:
    done = rstudio_server("status", f"--server-data-dir={tmp_path}", "--json")
    assert (done.returncode, answer_of(done)["running"]) == (3, False)


def test_a_configuration_that_cannot_be_used_stops_start_restart_and_reload(server: RunningServer) -> None:
    conf = server.directory / "conf" / "rserver.conf"
    conf.write_text("www-prot=1\n")
    try:
        for verb in ("start", "restart", "reload", "test-config"):
            done = ask(server, verb)
            assert done.returncode == 2, verb
            assert f"{conf}:1: www-prot" in done.stdout + done.stderr
        assert ask(server, "status").returncode == 0
    finally:
        conf.write_text("")
    assert answer_of(ask(server, "status", "--json"))["pid"] == server.master_pid


def test_starting_what_runs_changes_nothing(server: RunningServer) -> None:
    pid = server.master_pid
    done = ask(server, "start")
    assert (done.returncode, server.master_pid) == (0, pid)
    assert str(pid) in done.stdout


def test_reload_reaches_the_master(server: RunningServer) -> None:
    assert ask(server, "reload").returncode == 0
    assert rstudio_server("reload", "--server-data-dir=/nonexistent").returncode == 1


@pytest.mark.r
def test_active_sessions_are_measured(server: RunningServer, visitor: Visitor, ann: Account) -> None:
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    assert found["uid"] == ann.uid
    assert f"/s/{found['session']}/" == visitor.session_path
    assert found["state"] == "running"
    assert found["project"] is None
    assert found["cpu_seconds"] > 0
    assert 10_000_000 < found["memory_bytes"] < 500_000_000
    line = next(line for line in ask(server, "active-sessions").stdout.splitlines() if ann.name in line)
    assert line.split()[:4] == [str(found["pid"]), ann.name, found["session"], "-"]
    assert (found["busy"], found["blockers"], found["ends"]) == (False, [], None)
    assert 0 <= found["idle_seconds"] < 60


@pytest.mark.r
@pytest.mark.parametrize(("verb", "by"), [("suspend-session", "pid"), ("force-suspend-session", "session")])
def test_suspending_saves_the_objects(
    server: RunningServer, visitor: Visitor, ann: Account, verb: str, by: str
) -> None:
    visitor.run("kept <- 42")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    done = ask(server, verb, str(found[by]), "--json")
    assert done.returncode == 0, done.stderr
    assert answer_of(done)["suspended"] == [{key: found[key] for key in ("pid", "user", "session")}]
    _await_end(found["pid"])
    _await_state(visitor, found["session"])
    visitor.post_json(f"/api/sessions/{found['session']}/resume", {})
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert "42" in visitor.run("kept")


@pytest.mark.r
def test_what_stands_against_suspending_is_told_while_it_is_true(
    server: RunningServer, visitor: Visitor, ann: Account
) -> None:
    visitor.run("con <- file('notes.txt', 'w'); system('sleep 300', wait = FALSE)")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    assert [blocker["kind"] for blocker in found["blockers"]] == ["connections", "children"]
    line = next(line for line in ask(server, "active-sessions").stdout.splitlines() if ann.name in line)
    assert "Connections are open: notes.txt." in line
    assert "sleep (" in line
    done = ask(server, "suspend-session", found["session"])
    assert done.returncode == 1
    assert "was not suspended: Connections are open: notes.txt." in done.stdout
    everyone = ask(server, "suspend-all", "--json")
    assert everyone.returncode == 1
    (row,) = [row for row in answer_of(everyone)["blocked"] if row["user"] == ann.name]
    assert [blocker["kind"] for blocker in row["blockers"]] == ["connections", "children"]
    visitor.run("close(con); invisible(system('pkill -s 0 sleep'))")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    assert found["blockers"] == []


@pytest.mark.r
def test_one_that_computes_is_suspended_by_force_and_keeps_its_objects(
    server: RunningServer, visitor: Visitor, ann: Account
) -> None:
    visitor.run("kept <- 42")
    visitor.rpc("console_input", "repeat Sys.sleep(0.1)", "")
    visitor.wait_for(lambda event: event["type"] == "console_write_input")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    assert (found["busy"], [blocker["kind"] for blocker in found["blockers"]]) == (True, ["busy"])
    done = ask(server, "suspend-session", str(found["pid"]))
    assert (done.returncode, done.stdout.strip().endswith("R is working.")) == (1, True)
    assert ask(server, "force-suspend-session", str(found["pid"])).returncode == 0
    _await_state(visitor, found["session"])
    shown = visitor.get(f"/api/sessions/{found['session']}").json()
    assert (shown["state"], shown["code"]) == ("suspended", 101)
    assert shown["cause"].endswith("The administrator suspended it.")
    visitor.post_json(f"/api/sessions/{found['session']}/resume", {})
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert "42" in visitor.run("kept")


@pytest.mark.r
@pytest.mark.slow
def test_one_that_heeds_no_interrupt_is_named_and_can_be_killed(
    server: RunningServer, visitor: Visitor, ann: Account
) -> None:
    visitor.rpc("console_input", "suspendInterrupts(repeat NULL)", "")
    visitor.wait_for(lambda event: event["type"] == "console_write_input")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    done = ask(server, "force-suspend-session", str(found["pid"]))
    assert done.returncode == 1
    assert "R does not stop what it is doing" in done.stdout
    assert f"rstudio-server kill-session {found['pid']}" in done.stdout
    assert ask(server, "kill-session", str(found["pid"])).returncode == 0
    _await_end(found["pid"])


@pytest.mark.r
def test_one_that_was_stopped_by_a_signal_is_named(server: RunningServer, visitor: Visitor, ann: Account) -> None:
    visitor.run("1")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    os.kill(found["pid"], signal.SIGSTOP)
    try:
        (stopped,) = [session for session in _sessions(server) if session["user"] == ann.name]
        assert (stopped["state"], stopped["busy"], stopped["blockers"]) == ("stopped", None, None)
        done = ask(server, "suspend-session", str(found["pid"]))
        assert done.returncode == 1
        assert "was stopped by a signal" in done.stdout
    finally:
        os.kill(found["pid"], signal.SIGCONT)


@pytest.mark.r
def test_a_killed_session_is_gone_and_others_are_not(server: RunningServer, visitor: Visitor, ann: Account) -> None:
    with account("rsf") as other:
        neighbour = at_prompt(server, other)
        (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
        assert ask(server, "kill-session", str(found["pid"])).returncode == 0
        _await_end(found["pid"])
        assert ask(server, "kill-session", str(found["pid"])).returncode == 1
        assert "2" in neighbour.run("1 + 1")
    shown = _state_of(visitor, found["session"])
    assert (shown["state"], shown["cause"], shown["quick_failures"]) == (
        "absent",
        "An administrator ended this session.",
        0,
    )


@pytest.mark.r
def test_one_that_is_told_to_end_is_suspended(server: RunningServer, visitor: Visitor, ann: Account) -> None:
    visitor.run("1")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    os.kill(found["pid"], signal.SIGTERM)
    _await_end(found["pid"])
    shown = _state_of(visitor, found["session"])
    assert shown["state"] == "suspended"
    assert "SIGTERM" in shown["cause"]


@pytest.mark.r
def test_one_without_its_keeper_is_suspended_as_it_says(server: RunningServer, visitor: Visitor, ann: Account) -> None:
    visitor.run("kept <- 42")
    (found,) = [session for session in _sessions(server) if session["user"] == ann.name]
    record = json.loads((server.run_dir / "sessions" / f"{found['session']}.json").read_text())
    os.kill(record["keeper_pid"], signal.SIGKILL)
    done = ask(server, "suspend-session", str(found["pid"]))
    assert (done.returncode, "was suspended" in done.stdout) == (0, True)
    shown = _state_of(visitor, found["session"])
    assert (shown["state"], "objects" in shown["cause"]) == ("suspended", True)
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert "42" in visitor.run("kept")


@pytest.mark.r
def test_sessions_outlive_stop_start_and_restart(ann: Account) -> None:
    with running_server() as server:
        visitor = at_prompt(server, ann)
        visitor.run("kept <- 'through all of it'")
        options = [f"--{name}={value}" for name, value in server.options.items()]
        conf = server.directory / "conf"
        try:
            done = ask(server, "stop")
            assert (done.returncode, done.stdout) == (0, "rserver was stopped. 1 session keeps running.\n")
            assert server.stop() == 0
            assert ask(server, "status").returncode == 3
            assert len(_sessions(server)) == 1
            assert ask(server, "stop").returncode == 0
            started = rstudio_server("start", "--json", *options, conf=conf, INVOCATION_ID="1")
            assert started.returncode == 0, started.stderr
            assert answer_of(started)["sessions"] == 1
            assert "all of it" in visitor.run("kept")
            restarted = ask(server, "restart", "--json")
            assert answer_of(restarted)["addresses"] == [f"http://127.0.0.1:{server.port}/"]
            assert answer_of(restarted)["pid"] != answer_of(started)["pid"]
            assert "all of it" in visitor.run("kept")
            assert ask(server, "kill-all").returncode == 0
        finally:
            assert ask(server, "stop").returncode == 0


def test_a_start_that_fails_ends_with_the_servers_exit_code(server: RunningServer, tmp_path: Path) -> None:
    where = (f"--server-data-dir={tmp_path}/run", f"--server-lib-dir={tmp_path}/lib", "--www-address=127.0.0.1")
    done = rstudio_server("start", f"--www-port={server.port}", *where)
    assert done.returncode == 4
    assert str(server.port) in done.stderr


def test_a_master_that_was_killed_and_came_back_can_be_stopped() -> None:
    with running_server() as server:
        killed = server.master_pid
        _kill_and_await_successor(server, killed)
        assert ask(server, "stop").returncode == 0
        assert server.stop() == 0


def _kill_and_await_successor(server: RunningServer, killed: int) -> None:
    os.kill(killed, signal.SIGKILL)
    _await_end(killed)
    while server.master_pid == killed or not answer_of(ask(server, "status", "--json"))["running"]:
        continue


def test_who_is_not_root_is_told_so(server: RunningServer, ann: Account) -> None:
    done = rstudio_server("stop", *places(server), account=ann)
    assert done.returncode == 1
    assert "sudo rstudio-server stop" in done.stderr
    done = rstudio_server("active-sessions", "--auth-none=0", account=ann)
    assert done.returncode == 1
    assert "only root" in done.stderr
    done = rstudio_server("status", account=ann)
    assert done.returncode == 1
    assert "no server of your own" in done.stderr
    assert rstudio_server("version", account=ann).returncode == 0
    assert server.process.poll() is None


@pytest.mark.r
def test_the_own_server_of_a_user(ann: Account) -> None:
    with running_server(account=ann) as server:
        conf = server.directory / "conf"
        state = answer_of(rstudio_server("status", "--json", *places(server), conf=conf, account=ann))
        assert (state["running"], state["pid"]) == (True, server.master_pid)
        done = ask(server, "kill-all")
        assert done.returncode == 1
        assert f"sudo -u '#{ann.uid}' rstudio-server kill-all" in done.stderr
        done = rstudio_server("stop", *places(server), conf=conf, account=ann)
        assert (done.returncode, server.stop()) == (0, 0)


@pytest.mark.r
def test_a_user_starts_and_stops_a_server_without_root(ann: Account) -> None:
    try:
        started = rstudio_server("start", "--www-port=0", account=ann)
        assert started.returncode == 0, started.stderr
        address = re.search(r"^Open (http://127\.0\.0\.1:\d+/auth-token\?token=\w+)$", started.stdout, re.MULTILINE)
        assert address
        state = answer_of(rstudio_server("status", "--json", account=ann))
        assert address[1].startswith(state["addresses"][0])
        assert (ann.home / ".local/share/rstudio-server/rserver.log").stat().st_mode & 0o777 == 0o600
    finally:
        done = rstudio_server("stop", account=ann)
    assert (done.returncode, done.stdout) == (0, "rserver was stopped.\n")
    assert rstudio_server("status", account=ann).returncode == 3


def test_nothing_but_the_standard_library_is_loaded() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import rserver_admin.app, rserver_admin.verbs; "
        "print(*{name.partition('.')[0] for name in sys.modules} & {'twisted', 'msgspec', 'rserver', 'psutil'})"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"

"""Profiles on a whole server: limits that are told, reached and explained, while others go on."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rserver_core.profiles import published
from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import Profiles, Section
from rserver_process.cgroup_places import places
from tests.rserver_admin.command import ask
from tests.system.accounts import Account
from tests.system.running_server import ROOT, RunningServer, running_server
from tests.system.visitor import Event, Visitor

needs_cgroups = pytest.mark.skipif(
    "memory by cgroup" not in places().describe(), reason="no control group holds memory here"
)
pytestmark = [pytest.mark.root, pytest.mark.r]

MEGABYTES = 300
PROFILES = """
[*]
session-limit=2
[@{alice}]
max-memory-mb={megabytes}
max-processes=40
max-cpus=1.5
max-open-files=300
nice=4
"""


@contextlib.contextmanager
def server_with(profiles: str) -> Iterator[RunningServer]:
    """A server with this file of profiles, read at a reload as well as at the start."""
    with running_server() as server:
        (server.directory / "conf" / "profiles").write_text(profiles)
        reload(server)
        yield server


def reload(server: RunningServer) -> None:
    """SIGHUP, and what the log says of it."""
    before = len(server.lines)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while not any("reloaded" in line for line in server.lines[before:]):
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)


def signed_in(server: RunningServer, account: Account) -> Visitor:
    visitor = Visitor(server.port)
    assert visitor.sign_in(account.name, account.password).status == 302
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor


def shown(visitor: Visitor) -> dict[str, Any]:
    """Its session in the API."""
    session = visitor.session_path.split("/")[2]
    value: dict[str, Any] = visitor.get(f"/api/sessions/{session}").json()
    return value


def is_type(name: str) -> Callable[[Event], bool]:
    return lambda event: event["type"] == name


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_cgroups
def test_memory_is_warned_of_then_ended_with_the_reason(alice: Account, bob: Account) -> None:
    with server_with(PROFILES.format(alice=alice.name, megabytes=MEGABYTES)) as server:
        visitor, other = signed_in(server, alice), signed_in(server, bob)
        item = shown(visitor)
        assert item["memory_limit_bytes"] == MEGABYTES << 20
        assert 10 << 20 < item["memory_bytes"] < 150 << 20
        assert shown(other)["memory_limit_bytes"] is None
        assert re.search(r"\d+ MB of 300 MB", visitor.get("/home").body.decode())

        visitor.run("kept <- 4711")
        visitor.rpc("checkpoint_session")
        visitor.rpc("console_input", f"x <- rep(1, {MEGABYTES * 7 // 10} * 131072)", "")
        warning = visitor.wait_for(is_type("memory_warning"))[-1]["data"]
        assert warning["limit"] == MEGABYTES << 20
        assert warning["used"] >= 0.85 * warning["limit"]
        assert re.match(r"This session uses \d+ MB of the 300 MB of memory that it may have\.", warning["text"])
        assert visitor.rpc("client_init")["memory"]["warning"] == warning["text"]
        visitor.init()
        visitor.rpc("console_input", "rm(x); invisible(gc())", "")
        assert visitor.wait_for(is_type("memory_warning"))[-1]["data"]["text"] is None

        visitor.rpc_answer("console_input", f"y <- rep(1, {MEGABYTES} * 131072)", "")
        until(lambda: shown(visitor)["state"] == "failed")
        cause = shown(visitor)["cause"]
        assert "of the 300 MB of memory that this server allows a session" in cause
        assert re.search(r"Its objects are kept as they were at \d{4}-\d\d-\d\d \d\d:\d\d UTC,", cause)
        assert cause.split(".")[0] in visitor.get(visitor.session_path).body.decode()
        assert cause.split(".")[0] in visitor.get("/home").body.decode()
        assert "42" in other.run("6 * 7")

        visitor.post_json(f"/api/sessions/{visitor.session_path.split('/')[2]}/resume", {})
        visitor.init()
        assert "4711" in visitor.run("kept")


@needs_cgroups
def test_a_child_that_takes_too_much_does_not_take_r_along(alice: Account) -> None:
    with server_with(f"[{alice.name}]\nmax-memory-mb={MEGABYTES}\n") as server:
        visitor = signed_in(server, alice)
        child = f"x=b'x'*({MEGABYTES}<<20)"
        visitor.rpc("console_input", f'''system2("python3", c("-c", shQuote("{child}")))''', "")
        message = visitor.wait_for(is_type("show_message"))[-1]["data"]
        assert message["kind"] == "warning"
        assert "A program that R had started was ended: the 300 MB of memory" in message["text"]
        visitor.rpc("console_input", "6 * 7", "")
        # The prompt behind the program's end may come after the message.
        visitor.wait_for(lambda event: event["data"].get("text") == "[1] 42\n")


@needs_cgroups
def test_too_many_processes_are_told_and_hurt_nobody_else(alice: Account, bob: Account) -> None:
    with server_with(PROFILES.format(alice=alice.name, megabytes=MEGABYTES)) as server:
        visitor, other = signed_in(server, alice), signed_in(server, bob)
        assert '"4"' in visitor.run('system("nice", intern = TRUE)')
        assert '"300"' in visitor.run('system("ulimit -n", intern = TRUE)')
        visitor.rpc("console_input", 'system("for i in $(seq 60); do sleep 5 & done")', "")
        message = visitor.wait_for(is_type("show_message"))[-1]["data"]
        assert "this session may have 40 of them at a time" in message["text"]
        assert "60" in other.run('length(lapply(1:60, function(i) system("sleep 1", wait = FALSE)))')


def test_session_limit_of_a_profile_and_reload(alice: Account) -> None:
    with server_with("[*]\nsession-limit=1\n") as server:
        visitor = signed_in(server, alice)
        refused = visitor.post_json("/api/sessions", {})
        assert (refused.status, refused.json()["error"]["code"]) == (409, 20)
        file = server.directory / "conf" / "profiles"
        file.write_text("[*]\nsession-limit=many\n")
        reload(server)
        assert f"{file}:2: session-limit: expected a whole number" in server.log
        assert visitor.post_json("/api/sessions", {}).status == 409
        file.write_text("[*]\nsession-limit=2\n")
        reload(server)
        until(lambda: visitor.post_json("/api/sessions", {}).status == 201)
        assert "limits are held: memory by " in server.log


def test_the_lowest_limits_let_a_session_start(alice: Account) -> None:
    lowest = "".join(f"{name}={value}\n" for name, value in (("max-open-files", 256), ("max-processes", 16)))
    with server_with(f"[*]\nmax-memory-mb=100\n{lowest}") as server:
        assert "[1] 42" in signed_in(server, alice).run("6 * 7")


def test_an_account_that_may_open_too_few_files_is_told(alice: Account) -> None:
    with running_server(prefix=["prlimit", "--nofile=1024:1024"], auth_pam_sessions_enabled="0") as server:
        # What root wrote past our own check, as limits.conf may say it too.
        published.write(str(server.run_dir), Profiles((Section(alice.name, Profile(max_open_files=64)),)))
        visitor = Visitor(server.port)
        visitor.sign_in(alice.name, alice.password)
        visitor.session_path = visitor.get("/").location
        visitor.get(visitor.session_path)
        until(lambda: shown(visitor)["state"] == "failed")
        assert "max-open-files in profiles" in shown(visitor)["cause"]


def test_names_and_processors_that_are_not_there_are_warnings(tmp_path: Path) -> None:
    text = "[@no-such-group]\nnice=1\n[no-such-user]\ncpu-affinity=1000\nr-version=1.0.0\n"
    with server_with(text) as server:
        server.wait_for_line(re.compile(r"\[@no-such-group\]: there is no group no-such-group"))
        server.wait_for_line(re.compile(r"\[no-such-user\]: cpu-affinity names no processor"))
        done = ask(server, "test-config", "--json")
        warnings = "\n".join(json.loads(done.stdout)["warnings"])
    assert done.returncode == 0
    assert "there is no account no-such-user" in warnings
    assert "r-version 1.0.0 is not on this machine" in warnings


def test_a_bad_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("[*]\nmax-memory=1\n[broken\n")
    for program, *options in (
        ["rserver/__main__.py", "--test-config"],
        ["rserver/__main__.py", "--server-daemonize=0"],
    ):
        done = subprocess.run(
            [sys.executable, str(ROOT / program), *options, f"--server-data-dir={tmp_path}/run"],
            env={"RSTUDIO_CONFIG_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 2
        assert f"{tmp_path}/profiles:2: max-memory: unknown key" in done.stderr
        assert f"{tmp_path}/profiles:3: expected key=value" in done.stderr
    assert json.dumps(done.stdout) == '""'


LEGACY = Path("/sys/fs/cgroup/memory")


@contextlib.contextmanager
def container(megabytes: int) -> Iterator[Callable[[], object]]:
    """A group with a limit in which whoever runs the tests is, and what is started, until the yielded function."""
    own = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line)
    home, group = Path(f"{LEGACY}{own.split(':', 2)[2]}"), LEGACY / f"rst-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(megabytes << 20))
        (group / "cgroup.procs").write_text("0")
        yield lambda: (home / "cgroup.procs").write_text("0")
    finally:
        (home / "cgroup.procs").write_text("0")
        until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


@pytest.mark.skipif(not os.access(LEGACY / "tasks", os.W_OK), reason="no memory hierarchy of version 1")
def test_a_limit_that_somebody_else_set_is_seen_and_explained(alice: Account, bob: Account) -> None:
    """As that of a container in which the server runs."""
    with container(700) as leave, running_server() as server:
        leave()
        visitor, other = signed_in(server, alice), signed_in(server, bob)
        assert shown(visitor)["memory_limit_bytes"] == 700 << 20
        visitor.rpc("console_input", "x <- rep(1, 420 * 131072); Sys.sleep(1)", "")
        warning = visitor.wait_for(is_type("memory_warning"))[-1]["data"]
        assert warning["text"].startswith("R and everything else that shares its limit use ")
        visitor.rpc_answer("console_input", "y <- rep(1, 700 * 131072)", "")
        until(lambda: shown(visitor)["state"] == "failed")
        assert "The memory that all sessions of this server may use together was used up" in shown(visitor)["cause"]
        assert "42" in other.run("6 * 7")

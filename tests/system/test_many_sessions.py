"""Several sessions of one user, with real processes."""

import concurrent.futures
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account, account, processes_of
from tests.system.running_server import RunningServer, running_server
from tests.system.test_hostile import idle_websocket
from tests.system.test_survival import kill_and_wait
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]


@pytest.fixture
def alice() -> Iterator[Account]:
    with account("rsg") as made:
        yield made


@pytest.fixture
def bob() -> Iterator[Account]:
    with account("rsg") as made:
        yield made


def signed_in(server: RunningServer, who: Account) -> Visitor:
    visitor = Visitor(server.port)
    assert visitor.sign_in(who.name, who.password).status == 302
    return visitor


def create(visitor: Visitor, **wanted: Any) -> Visitor:
    """A new session, and somebody in front of it."""
    answer = visitor.post_json("/api/sessions", wanted)
    assert answer.status == 201, answer.body
    return Visitor(visitor.port, visitor.cookies, session_path=answer.json()["url"])


def ready(visitor: Visitor) -> int:
    """Wait for R's prompt; the pid of the session."""
    pid: int = visitor.init()["session"]["pid"]
    visitor.seen = 0
    visitor.wait_for_prompt()
    return pid


def listed(visitor: Visitor) -> dict[str, dict[str, Any]]:
    return {item["url"]: item for item in visitor.get("/api/sessions").json()["sessions"]}


def is_alive(pid: int, who: Account) -> bool:
    return pid in processes_of(who.uid)


def test_three_at_once_are_three_processes_and_killing_one_leaves_the_others(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    visitor = signed_in(server, alice)
    labels = ["Thesis", "Übung ✓", ""]
    sessions = [create(visitor, label=label) for label in labels]
    pids = [ready(session) for session in sessions]
    assert len(set(pids)) == len({session.session_path for session in sessions}) == 3
    for number, session in enumerate(sessions):
        session.run(f"mine <- {number}")
    assert [f"[1] {number}" in session.run("mine") for number, session in enumerate(sessions)] == [True] * 3
    found = listed(visitor)
    assert [found[session.session_path]["label"] for session in sessions] == labels
    for item in found.values():
        assert item["state"] == "running"
        assert item["memory_bytes"] > 20_000_000
        assert item["cpu_percent"] >= 0
    assert visitor.get("/").location == "/home"
    assert "Übung ✓" in visitor.get("/home").body.decode()
    assert listed(signed_in(server, bob)) == {}

    victim = sessions[1].session_path.split("/")[2]
    assert visitor.post_json(f"/api/sessions/{victim}/kill", {}).status == 202
    wait_until(lambda: listed(visitor)[sessions[1].session_path]["cause"] is not None)
    assert [is_alive(pid, alice) for pid in pids] == [True, False, True]
    assert "2" in sessions[2].run("mine")
    assert listed(visitor)[sessions[0].session_path]["state"] == "running"


def test_who_listens_is_counted(server: RunningServer, alice: Account) -> None:
    session = create(signed_in(server, alice))
    ready(session)

    def connected() -> int:
        return int(listed(session)[session.session_path]["connected"])

    with idle_websocket(session), idle_websocket(session):
        wait_until(lambda: connected() == 2)
        session.rpc("console_input", "1 + 1", "")
    wait_until(lambda: connected() == 0)


def test_a_stampede_stops_at_the_limit_and_a_restart_of_the_server_keeps_list_and_processes(alice: Account) -> None:
    with running_server(session_limit="2") as server:
        visitor = signed_in(server, alice)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            copies = [Visitor(server.port, dict(visitor.cookies)) for _ in range(12)]
            answers = list(pool.map(lambda copy: copy.post_json("/api/sessions", {"label": "L"}), copies))
        assert sorted(answer.status for answer in answers) == [201] * 2 + [409] * 10
        refused = next(answer.json()["error"] for answer in answers if answer.status == 409)
        assert refused["code"] == 20
        assert "2 sessions" in refused["message"]
        sessions = [
            Visitor(server.port, visitor.cookies, session_path=answer.json()["url"])
            for answer in answers
            if answer.status == 201
        ]
        pids = [ready(session) for session in sessions]
        before = {path: item["label"] for path, item in listed(visitor).items()}
        kill_and_wait(server, sessions[0], "master")
        wait_until(lambda: {item["state"] for item in listed(visitor).values()} == {"running"})
        assert {path: item["label"] for path, item in listed(visitor).items()} == before
        assert [session.init()["session"]["pid"] for session in sessions] == pids


def test_names_and_removal_from_outside(server: RunningServer, alice: Account, bob: Account) -> None:
    visitor = create(signed_in(server, alice), label="old")
    ready(visitor)
    path = f"/api/sessions/{visitor.session_path.split('/')[2]}"
    token = {"X-RS-CSRF-Token": visitor.cookies["rs-csrf-token"]}
    for method in ("PATCH", "DELETE"):
        assert visitor.request(method, path, b'{"label": "new"}').status == 403
    stranger = signed_in(server, bob)
    strange_token = {"X-RS-CSRF-Token": stranger.cookies["rs-csrf-token"]}
    assert stranger.request("PATCH", path, b'{"label": "mine"}', strange_token).status == 404
    assert visitor.request("PATCH", path, '{"label": "Größe 📈"}'.encode(), token).json()["label"] == "Größe 📈"
    assert visitor.request("DELETE", path, None, token).status == 409
    assert visitor.post_form("/home", session=visitor.session_path.split("/")[2], do="quit", save="no").status == 303
    wait_until(lambda: state_of(visitor)["state"] == "absent", 20)
    assert visitor.request("DELETE", path, None, token).status == 204
    assert listed(visitor) == {}


@pytest.mark.parametrize("multiple", ["0", "1"])
def test_where_everybody_has_one_session(alice: Account, multiple: str) -> None:
    with running_server(server_multiple_sessions=multiple) as server:
        visitor = signed_in(server, alice)
        paths = {create(visitor).session_path for _ in range(2)}
        assert len(paths) == (1 if multiple == "0" else 2)
        assert visitor.get("/").location == (paths.pop() if multiple == "0" else "/home")


def test_addresses_that_lead_nowhere(server: RunningServer, alice: Account, bob: Account) -> None:
    visitor, other = signed_in(server, alice), create(signed_in(server, bob))
    browser = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
    paths = [other.session_path, f"/s/{'0' * 21}/", f"/s/{'0' * 21}/help/index.html", "/s/xyz/", "/s/"]
    answers = [visitor.get(path, browser) for path in paths]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert b"No such session" in answers[0].body
    assert b'href="/home"' in answers[0].body
    visitor.session_path = other.session_path
    assert visitor.rpc_answer("client_init")["error"]["code"] == 14


def state_of(visitor: Visitor) -> dict[str, Any]:
    return listed(visitor)[visitor.session_path]


def test_suspending_resuming_and_what_stands_against_it(server: RunningServer, alice: Account) -> None:
    visitor = create(signed_in(server, alice), label="kept")
    pid = ready(visitor)
    visitor.run("kept <- 4711")
    path = f"/api/sessions/{visitor.session_path.split('/')[2]}"
    visitor.rpc("console_input", "Sys.sleep(600)", "")
    visitor.wait_for(lambda event: event["type"] == "busy" and event["data"]["value"])
    shown = visitor.post_json(f"{path}/suspend", {}).json()
    assert shown["state"] == "running"
    assert "R is working" in shown["cause"]
    visitor.rpc("interrupt")
    visitor.wait_for_prompt()

    assert visitor.post_json(f"{path}/suspend", {}).status == 202
    wait_until(lambda: state_of(visitor)["state"] == "suspended", 20)
    wait_until(lambda: not is_alive(pid, alice))
    assert visitor.get("/").location == visitor.session_path
    again = ready(visitor)
    assert again != pid
    assert "4711" in visitor.run("kept")

    visitor.rpc("console_input", "Sys.sleep(600)", "")
    visitor.wait_for(lambda event: event["type"] == "busy" and event["data"]["value"])
    assert visitor.post_json(f"{path}/suspend", {"force": True}).status == 202
    wait_until(lambda: state_of(visitor)["state"] == "suspended", 20)
    assert visitor.post_json(f"{path}/resume", {}).json()["state"] == "resuming"
    ready(visitor)
    assert "4711" in visitor.run("kept")


def test_a_suspended_session_outlives_the_whole_server(alice: Account) -> None:
    with running_server() as server:
        visitor = create(signed_in(server, alice))
        ready(visitor)
        visitor.run("kept <- 'still here'")
        visitor.post_json(f"/api/sessions/{visitor.session_path.split('/')[2]}/suspend", {})
        wait_until(lambda: state_of(visitor)["state"] == "suspended", 20)
        kill_and_wait_for_worker(server)
        assert state_of(visitor)["state"] == "suspended"
        ready(visitor)
        assert "still here" in visitor.run("kept")


def kill_and_wait_for_worker(server: RunningServer) -> None:
    """The master, and all that belongs to it, is another one afterwards."""
    before = server.master_pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: server.pids("worker_main.py") and server.master_pid != before, 20)
    wait_until(lambda: _serves(server), 20)


def _serves(server: RunningServer) -> bool:
    try:
        return Visitor(server.port).get("/health-check").status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_a_session_that_nobody_uses_for_the_time_set_is_suspended(alice: Account) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="rsg-", suffix=".conf") as conf:
        # Server and session must be able to read it.
        Path(conf.name).chmod(0o644)
        conf.write("session-timeout-minutes=1\n")
        conf.flush()
        _suspends_unasked(alice, conf.name)


def _suspends_unasked(alice: Account, conf: str) -> None:
    with running_server(rsession_config_file=conf) as server:
        visitor = create(signed_in(server, alice))
        ready(visitor)
        visitor.run("kept <- 4711")
        wait_until(lambda: state_of(visitor)["state"] == "suspended", 120)
        assert "Nobody used it for 1 minute." in state_of(visitor)["cause"]
        ready(visitor)
        assert "4711" in visitor.run("kept")

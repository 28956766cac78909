"""Sign in with a Linux account, get R: seen from outside."""

import concurrent.futures
import re
import subprocess
from pathlib import Path

import pytest

from tests.system.accounts import Account, processes_of
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


def _signed_in(server: RunningServer, account: Account) -> Visitor:
    visitor = Visitor(server.port)
    answer = visitor.sign_in(account.name, account.password)
    assert (answer.status, answer.location) == (302, "/")
    return visitor


def _ready(visitor: Visitor) -> Visitor:
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines if ":" in line)}


def test_two_accounts_have_each_their_own_r(server: RunningServer, alice: Account, bob: Account) -> None:
    pids = set()
    for account in (alice, bob):
        visitor = _ready(_signed_in(server, account))
        assert account.name in visitor.run('Sys.info()[["user"]]')
        assert str(account.home) in visitor.run('path.expand("~")')
        assert account.name in visitor.run('system("id -Gn")')
        (pid,) = re.findall(r"\[1\] (\d+)", visitor.run("Sys.getpid()"))
        status = _status(int(pid))
        assert status["Uid"].split() == [str(account.uid)] * 4
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "0"
        pids.add(pid)
    assert len(pids) == 2


def test_a_third_account_reaches_neither_socket(server: RunningServer, alice: Account, bob: Account) -> None:
    session = _ready(_signed_in(server, alice)).session_path.split("/")[2]
    socket = server.run_dir / "sessions" / f"{session}.sock"
    assert socket.stat().st_mode & 0o777 == 0o660
    tried = subprocess.run(
        [
            "setpriv",
            f"--reuid={bob.uid}",
            f"--regid={bob.gid}",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            CONNECT,
            socket,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PermissionError" in tried.stderr
    owner = subprocess.run(
        [
            "setpriv",
            f"--reuid={alice.uid}",
            f"--regid={alice.gid}",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            CONNECT,
            socket,
        ],
        check=False,
    )
    assert owner.returncode == 0
    listed = subprocess.run(
        ["setpriv", f"--reuid={alice.uid}", f"--regid={alice.gid}", "--clear-groups", "ls", socket.parent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode != 0


def test_the_worker_holds_no_privilege(server: RunningServer) -> None:
    statuses = [_status(worker) for worker in server.pids("worker_main.py")]
    assert statuses
    for status in statuses:
        assert "0" not in status["Uid"].split()
        assert "0" not in status["Gid"].split()
        assert status["Groups"].split() in ([], [status["Gid"].split()[0]])
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0


def test_fifty_parallel_first_requests_start_one_process(server: RunningServer, alice: Account) -> None:
    visitor = _signed_in(server, alice)
    copies = [Visitor(server.port, dict(visitor.cookies)) for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        paths = set(pool.map(lambda copy: copy.get("/").location, copies))
        (path,) = paths
        for copy in copies:
            copy.session_path = path
        pids = set(pool.map(lambda copy: copy.init()["session"]["pid"], copies))
    assert len(pids) == 1
    sessions = [pid for pid in processes_of(alice.uid) if b"rsession" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert sessions == list(pids)


def test_signing_out_and_in_again_finds_everything_as_it_was(server: RunningServer, alice: Account) -> None:
    visitor = _ready(_signed_in(server, alice))
    visitor.run("kept <- 4711")
    document = visitor.rpc("new_document", "r", "x <- 1\n")
    copied = dict(visitor.cookies)
    assert visitor.post_form("/auth-sign-out").status == 302
    thief = Visitor(server.port, copied, session_path=visitor.session_path)
    assert thief.rpc_answer("client_init")["error"]["code"] == 3
    assert "auth-sign-in" in thief.get("/").location
    again = _signed_in(server, alice)
    state = again.open_session()
    assert again.session_path == visitor.session_path
    assert [item["id"] for item in state["documents"]] == [document["id"]]
    assert any("kept <- 4711" in action["text"] for action in state["console"]["actions"])
    assert "4711" in again.run("kept")


def test_another_users_session_looks_like_one_that_does_not_exist(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    mine = _ready(_signed_in(server, alice))
    other = _signed_in(server, bob)
    answers = []
    for path in (mine.session_path, "/s/" + "0" * 21 + "/"):
        other.session_path = path
        page = other.get(path)
        answers.append((page.status, page.body.replace(path.encode(), b""), other.rpc_answer("client_init")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert answers[0][2]["error"]["code"] == 14

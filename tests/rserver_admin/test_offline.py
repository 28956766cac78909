"""The server is taken offline and comes back; who was at work loses nothing."""

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.rserver_admin.command import answer_of, ask
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Answer, Visitor

pytestmark = pytest.mark.root

# The file is looked at twice a second; the rest is for a busy machine.
SECONDS = 3.0
HTML = {"Accept": "text/html"}
MESSAGE = "Back at 14:00, we change a disk."


@pytest.fixture
def ann() -> Iterator[Account]:
    with account("rsf") as made:
        yield made


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server that others do not use meanwhile."""
    with running_server() as running:
        yield running


def _await_status(visitor: Visitor, status: int, seconds: float = SECONDS) -> Answer:
    """The first answer of that status to a look at the sign-in page."""
    deadline = time.monotonic() + seconds
    while (answer := visitor.get("/auth-sign-in", HTML)).status != status:
        assert time.monotonic() < deadline, f"still {answer.status}"
    return answer


def _websocket(visitor: Visitor) -> socket.socket:
    """An open event stream."""
    sock = socket.create_connection(("127.0.0.1", visitor.port), 20)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    host = f"127.0.0.1:{visitor.port}"
    lines = (
        f"GET {visitor.session_path}events?clientId={visitor.client_id}&after=0 HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        f"Cookie: {cookies}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert sock.recv(12) == b"HTTP/1.1 101"
    return sock


def test_every_page_says_so_and_then_no_more(own_server: RunningServer) -> None:
    visitor = Visitor(own_server.port)
    assert ask(own_server, "offline", f"--message={MESSAGE}").returncode == 0
    assert MESSAGE.encode() in visitor.get("/auth-sign-in", HTML).body
    for path in ("/", "/home", f"/s/{'a' * 21}/", "/nonsense"):
        assert visitor.get(path, HTML).status == 503
    assert visitor.get("/health-check").status == 503
    assert visitor.get("/static/pages.css").status == 200
    assert answer_of(ask(own_server, "status", "--json"))["offline"]
    assert ask(own_server, "online").returncode == 0
    assert visitor.get("/health-check").status == 200


def test_it_counts_when_the_command_returns_also_behind_nginx_and_with_more_workers() -> None:
    with running_server(www_workers="2", server_http="1") as server:
        visitor = Visitor(server.port)
        for verb, status in 3 * [("offline", 503), ("online", 200)]:
            assert ask(server, verb).returncode == 0
            assert [visitor.get("/auth-sign-in", HTML).status for _ in range(20)] == 20 * [status]
        server.stop()
        assert "does not run" in ask(server, "offline").stdout


@pytest.mark.slow
def test_a_server_that_does_not_obey_is_told_of(own_server: RunningServer) -> None:
    workers = own_server.pids("worker_main.py")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        done = ask(own_server, "offline")
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    assert (done.returncode, "did not within 10 s" in done.stderr) == (1, True)


def test_a_new_worker_is_offline_from_its_first_answer_on(own_server: RunningServer) -> None:
    visitor = Visitor(own_server.port)
    ask(own_server, "offline")
    (worker,) = own_server.pids("worker_main.py")
    os.kill(worker, signal.SIGKILL)
    while own_server.pids("worker_main.py") in ([], [worker]):
        continue
    assert visitor.get("/auth-sign-in", HTML).status == 503


@pytest.mark.r
def test_whoever_was_at_work_finds_it_as_it_was(own_server: RunningServer, ann: Account) -> None:
    visitor = Visitor(own_server.port)
    visitor.sign_in(ann.name, ann.password)
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    visitor.run("kept <- 'through it'")
    with _websocket(visitor) as stream:
        visitor.rpc("console_input", "Sys.sleep(2); cat('slept', kept, '\\n')", "")
        ask(own_server, "offline")
        while stream.recv(65536):
            continue
    answer = visitor.rpc_answer("list_documents")
    assert answer["error"]["code"] == 13
    ask(own_server, "online")
    _await_status(visitor, 302)
    assert "slept through it" in visitor.wait_for_prompt()


def test_a_message_is_one_line(own_server: RunningServer) -> None:
    assert ask(own_server, "offline", "--message=a\nb").returncode == 1
    assert ask(own_server, "offline", f"--message={'x' * 501}").returncode == 1
    assert not (own_server.lib_dir / "offline").exists()

"""Clients that break the rules: each is refused, nobody else notices, the log stays readable."""

import base64
import contextlib
import os
import re
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

IDLE_WEBSOCKETS = 1000
GROWTH_LIMIT_KB = 8 * 1024
EXPECTED_LOG = re.compile(
    r"^\S+ \[(master|worker|launcher|sessions)\] (info |listening|stopping|R sessions|limits are held)"
)


@pytest.fixture
def own_server() -> Iterator[RunningServer]:
    """A server whose log and memory are ours alone."""
    with running_server(www_max_connections_per_user="0") as running:
        yield running


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _exchange(port: int, data: bytes) -> bytes:
    """Everything the server answers until it closes or has answered one request."""
    with _connect(port) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := sock.recv(65536):
                answer += chunk
        return answer


HEADS = {
    "no request": b"\0\1\2\3\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two framings": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "space before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\nHost: a\n\n\r\n\r\n",
    "long head": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "long target": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(500)) + b"\r\n",
    "other version": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_malformed_heads_are_refused_and_the_connection_ends(server: RunningServer, name: str) -> None:
    answer = _exchange(server.port, HEADS[name])
    assert re.match(rb"HTTP/1\.1 (4\d\d|505) ", answer), answer[:200]
    assert answer.count(b"HTTP/1.1 4") + answer.count(b"HTTP/1.1 505 ") == 1


BAD_COOKIES = ["", "x", "1|root|0|1|9999999999999999|k|" + "0" * 64, "|" * 500, "é", "1|root|0|99|-1|0|", "%00" * 100]


@pytest.mark.parametrize("value", BAD_COOKIES)
def test_bad_cookies_are_no_sign_in(server: RunningServer, value: str) -> None:
    visitor = Visitor(server.port)
    answer = visitor.request("GET", "/", headers={"Cookie": f"user-id={value.encode().decode('latin-1')}"})
    assert (answer.status, answer.location) == (302, "/auth-sign-in?appUri=/")


def test_a_cookie_changed_in_one_character_is_no_sign_in(server: RunningServer, alice: Account) -> None:
    visitor = Visitor(server.port)
    visitor.sign_in(alice.name, alice.password)
    good = visitor.cookies["user-id"]
    for at in range(0, len(good), 7):
        changed = good[:at] + ("a" if good[at] != "a" else "b") + good[at + 1 :]
        visitor.cookies["user-id"] = changed
        assert "auth-sign-in" in Visitor(server.port, dict(visitor.cookies)).get("/").location
    assert Visitor(server.port, {"user-id": good}).get("/").location.startswith("/s/")


def idle_websocket(visitor: Visitor) -> socket.socket:
    key = base64.b64encode(os.urandom(16)).decode()
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    sock = _connect(visitor.port)
    host = f"127.0.0.1:{visitor.port}"
    sock.sendall(
        f"GET {visitor.session_path}events?clientId={visitor.client_id}&after=0 HTTP/1.1\r\nHost: {host}\r\n"
        f"Origin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nCookie: {cookies}\r\n\r\n".encode()
    )
    return sock


def _pss_kb(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    return int(line.split()[1])


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _lets_go(pid: int, at_most: int, seconds: float = 20) -> bool:
    """Whether the process comes down to that many descriptors in time."""
    deadline = time.monotonic() + seconds
    while _descriptors(pid) > at_most and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    return _descriptors(pid) <= at_most


def test_idle_websockets_half_open_and_broken_clients_leave_nothing_behind(
    own_server: RunningServer, alice: Account
) -> None:
    visitor = Visitor(own_server.port)
    visitor.sign_in(alice.name, alice.password)
    visitor.open_session()
    workers = own_server.pids("worker_main.py")

    def crowd() -> None:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(idle_websocket(visitor)) for _ in range(IDLE_WEBSOCKETS)]
            for sock in sockets:
                assert sock.recv(65536).startswith(b"HTTP/1.1 101 ")
            for _ in range(200):
                half = stack.enter_context(_connect(own_server.port))
                half.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ")
            assert visitor.get("/health-check").status == 200

    crowd()
    before, open_before = [*map(_pss_kb, workers)], [*map(_descriptors, workers)]
    for _ in range(3):
        crowd()
        for head in HEADS.values():
            _exchange(own_server.port, head)
    # Idle connections to a session are kept, and which of several workers has them is not the same each time.
    spread = 64 if len(workers) > 1 else 0
    assert all(_lets_go(pid, opened + 5 + spread) for pid, opened in zip(workers, open_before, strict=True))
    assert sum(map(_pss_kb, workers)) - sum(before) < GROWTH_LIMIT_KB * len(workers)
    assert own_server.pids("worker_main.py") == workers
    unexpected = [line for line in own_server.log.splitlines() if not EXPECTED_LOG.match(line)]
    assert unexpected == []

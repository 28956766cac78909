"""A whole server under clients that want to take it away from others."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.system.running_server import RunningServer, running_server

pytestmark = pytest.mark.root


@contextmanager
def connections(server: RunningServer, count: int, words: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections on which this was sent."""
    with ExitStack() as stack:
        made = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20)) for _ in range(count)]
        for sock in made:
            sock.sendall(words)
        yield made


def status_of(server: RunningServer, path: str) -> int:
    """Of the answer to a request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
        return int(sock.makefile("rb").readline().split()[1])


def served(server: RunningServer) -> None:
    """The server notices that those before are gone."""
    give_up = time.monotonic() + 5
    while status_of(server, "/auth-sign-in") != 200:
        assert time.monotonic() < give_up


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_slowloris_finds_no_patience() -> None:
    words = b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: "
    with running_server(www_header_timeout_seconds="2") as server, connections(server, 300, words) as slow:
        assert status_of(server, "/auth-sign-in") == 200
        begun = time.monotonic()
        for sock in slow:
            assert sock.recv(100).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 10


def test_flood_from_one_address_is_told_to_wait_and_the_monitor_is_not() -> None:
    with running_server(www_max_connections_per_address="50") as server:
        with connections(server, 250):
            assert status_of(server, "/auth-sign-in") == 503
            assert status_of(server, "/health-check") == 200
        served(server)


def test_last_descriptor_is_not_the_end() -> None:
    with running_server(prefix=["prlimit", "--nofile=64:64"]) as server:
        (worker,) = server.pids("worker_main.py")
        with connections(server, 200):
            before = cpu_seconds(worker)
            assert status_of(server, "/health-check") == 200
            time.sleep(2)
            assert status_of(server, "/health-check") == 200
            assert cpu_seconds(worker) - before < 1
        assert "no descriptor is left" in server.log
        assert server.log.count("no descriptor is left") == 1
        served(server)
        assert server.pids("worker_main.py") == [worker]

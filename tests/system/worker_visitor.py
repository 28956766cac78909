"""Somebody whose connections are all served by one worker of several."""

import base64
import http.client
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor


@dataclass
class WorkerVisitor(Visitor):
    """pid: of the worker."""

    pid: int = 0
    opened: list[socket.socket] = field(default_factory=list)

    def connection(self, timeout: float = 70) -> http.client.HTTPConnection:
        """See Visitor; who else takes the connection is hung up on."""
        give_up = time.monotonic() + timeout
        while time.monotonic() < give_up:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            connection.connect()
            if serving(connection.sock, self.pid):
                return connection
            connection.close()
        raise AssertionError(f"worker {self.pid} takes no connection")

    def websocket(self) -> socket.socket:
        """The event stream of our session, joined."""
        sock = self.connection().sock
        key = base64.b64encode(os.urandom(16)).decode()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        host = f"127.0.0.1:{self.port}"
        sock.sendall(
            f"GET {self.session_path}events?clientId={self.client_id}&after=0 HTTP/1.1\r\nHost: {host}\r\n"
            f"Origin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nCookie: {cookies}\r\n\r\n".encode()
        )
        assert sock.recv(12) == b"HTTP/1.1 101"
        self.opened.append(sock)
        return sock

    def close(self) -> None:
        """Close all streams, also those of whom it was made from."""
        while self.opened:
            self.opened.pop().close()

    def through(self, pid: int) -> "WorkerVisitor":
        """The same person with the same cookies, through another worker."""
        return WorkerVisitor(
            self.port, dict(self.cookies), self.seen, self.client_id, self.session_path, pid, self.opened
        )


def control_and_data(server: RunningServer) -> tuple[int, list[int]]:
    """The worker with control, and the others."""
    pids = server.pids("worker_main.py")
    (control,) = [pid for pid in pids if b"--workers-fd" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return control, [pid for pid in pids if pid != control]


def serving(sock: socket.socket, pid: int) -> bool:
    """Whether it is this worker that has accepted the connection."""
    inode = _accepted_inode(sock.getsockname()[1], sock.getpeername()[1])
    try:
        fds = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
    return any(_link(fd) == f"socket:[{inode}]" for fd in fds)


def _accepted_inode(client: int, server: int) -> str:
    """Of the server's end, which has one as soon as it is accepted."""
    wanted, give_up = (f"0100007F:{server:04X}", f"0100007F:{client:04X}"), time.monotonic() + 10
    while time.monotonic() < give_up:
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if (fields[1], fields[2]) == wanted and fields[9] != "0":
                return fields[9]
    raise AssertionError("nobody accepts the connection")


def _link(fd: Path) -> str:
    try:
        return os.readlink(fd)
    except OSError:
        return ""

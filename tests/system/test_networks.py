"""Networks that fail for a while, and a proxy in front that ends what is silent."""

import contextlib
import selectors
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.test_hostile import idle_websocket
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

_NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/log warn;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{ listen 127.0.0.1:{port}; {location} }} }}
"""
_LOCATION = """location / { proxy_pass http://127.0.0.1:SERVER; proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; }
"""


@contextlib.contextmanager
def nginx_before(server: RunningServer, folder: Path, location: str = _LOCATION) -> Iterator[int]:
    """The port of an nginx with its own time limits: a minute of silence ends a connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    where = location.replace("SERVER", str(server.port))
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, location=where))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")])
    try:
        wait_until(lambda: listens(port))
        yield port
    finally:
        nginx.terminate()
        nginx.wait(20)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Cable:
    """A way to the server that can be pulled out: bytes get lost and nobody is told, then connections are reset."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_in = threading.Event()
        self._is_in.set()
        self._pairs: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """From now on nothing arrives."""
        self._is_in.clear()

    def plug(self) -> None:
        """New connections work; the old ones are found to be dead."""
        for end in list(self._pairs):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._is_in.set()

    def close(self) -> None:
        """For good."""
        self._listener.close()
        self.plug()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        self._is_in.wait()
        with near, socket.create_connection(("127.0.0.1", self._server_port)) as far, contextlib.suppress(OSError):
            self._pairs |= {near, far}
            try:
                self._copy({near: far, far: near})
            finally:
                self._pairs -= {near, far}

    def _copy(self, other: dict[socket.socket, socket.socket]) -> None:
        with selectors.DefaultSelector() as selector:
            for end in other:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    end = next(each for each in other if each is key.fileobj)
                    data = end.recv(65536)
                    if not data:
                        return
                    if self._is_in.is_set():
                        other[end].sendall(data)


@pytest.fixture
def cable(server: RunningServer) -> Iterator[Cable]:
    made = Cable(server.port)
    yield made
    made.close()


def loses_nothing(cable: Cable, alice: Account, seconds: float) -> None:
    """Somebody who polls through a cable that is out for a while has every line once and in order."""
    visitor = Visitor(cable.port)
    visitor.sign_in(alice.name, alice.password)
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    count = int((seconds + 4) / 0.02)
    visitor.rpc("console_input", f"for (i in 1:{count}) {{ cat('line', i, '\\n'); Sys.sleep(0.02) }}", "")
    cable.pull()
    pulled = time.monotonic()
    with pytest.raises(OSError, match="timed out"):
        visitor.request("GET", "/health-check", timeout=seconds)
    assert time.monotonic() - pulled >= seconds
    cable.plug()
    found = [line for line in visitor.wait_for_prompt(seconds + 60).splitlines() if line.startswith("line ")]
    assert found == [f"line {i} " for i in range(1, count + 1)]


def test_a_short_loss_of_the_network(cable: Cable, alice: Account) -> None:
    loses_nothing(cable, alice, 2)


@pytest.mark.slow
def test_two_minutes_without_a_network(cable: Cable, alice: Account) -> None:
    loses_nothing(cable, alice, 120)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
def test_an_idle_stream_outlives_a_proxy_that_ends_silence(alice: Account, tmp_path: Path) -> None:
    with running_server() as server, nginx_before(server, tmp_path) as port:
        visitor = Visitor(port)
        visitor.sign_in(alice.name, alice.password)
        visitor.open_session()
        visitor.seen = 0
        visitor.wait_for_prompt()
        with idle_websocket(visitor) as stream:
            stream.settimeout(1)
            end = time.monotonic() + 90
            while time.monotonic() < end:
                # An empty read would be the proxy's end of it.
                with contextlib.suppress(TimeoutError):
                    assert stream.recv(65536)
                    stream.sendall(b"\x8a\x80\0\0\0\0")
            visitor.rpc("console_input", "cat('after', 'all')", "")
            text = b""
            while b"after all" not in text:
                with contextlib.suppress(TimeoutError):
                    text += stream.recv(65536)
        begun = time.monotonic()
        assert visitor.rpc("get_events", visitor.init()["eventId"]) == []
        assert time.monotonic() - begun > 20

"""Bodies of 10 GB and a thousand slow readers: the memory of a data plane in a process of its own stays flat."""

import resource
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.rserver.proxy.implementations import ENVIRONMENTS
from tests.rserver.proxy.lone_plane import lone_plane
from tests.rserver.proxy.memory import peak_bytes, reset_peak, resident_bytes
from tests.rserver.proxy.world import LIMIT_SECONDS, SID, Session, Wire, request

pytestmark = pytest.mark.slow
SIZE = 10_000_000_000
PIECE = b"a" * 1_000_000
FLAT = 30_000_000
READERS = 1000
EACH = 1_000_000_000


@dataclass(frozen=True)
class Plane:
    """A running data plane: port, process id, the session behind it, and the clients in front."""

    port: int
    process: int
    session: Session
    clients: list[Wire] = field(default_factory=list)

    def ask(self, *fields: str, method: str = "GET") -> Wire:
        """Send a request for the session on a new connection."""
        wire = Wire(socket.create_connection(("127.0.0.1", self.port)))
        self.clients.append(wire)
        wire.send(request(f"/s/{SID}/x", *fields, method=method))
        return wire


@pytest.fixture(params=list(ENVIRONMENTS))
def plane(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plane]:
    session = Session(str(tmp_path / "session.sock"))
    with lone_plane(session.path, ENVIRONMENTS[request.param]) as (port, process):
        running = Plane(port, process, session)
        yield running
        for client in running.clients:
            client.close()
    session.close()


def send_all(wire: Wire, before: bytes = b"", after: bytes = b"") -> threading.Thread:
    """SIZE bytes in pieces, from a thread."""

    def send() -> None:
        for _ in range(SIZE // len(PIECE)):
            wire.send(before + PIECE + after if before else PIECE)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def report(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        print(f"\n{words}")


def test_download_of_10_gb(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    client = plane.ask()
    end = plane.session.accept()
    end.head()
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    client.head()
    before, began = resident_bytes(plane.process), time.monotonic()
    reset_peak(plane.process)
    thread = send_all(end)
    client.skip(SIZE)
    thread.join()
    grown = peak_bytes(plane.process) - before
    report(capsys, f"10 GB down: {SIZE / 1e6 / (time.monotonic() - began):.0f} MB/s, {grown / 1e6:.1f} MB more")
    assert grown < FLAT


@pytest.mark.parametrize("chunked", [False, True])
def test_upload_of_10_gb(plane: Plane, capsys: pytest.CaptureFixture[str], chunked: bool) -> None:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
    client = plane.ask(framing, method="POST")
    end = plane.session.accept()
    end.head()
    before, began = resident_bytes(plane.process), time.monotonic()
    reset_peak(plane.process)
    if chunked:
        thread = send_all(client, b"%x\r\n" % len(PIECE), b"\r\n")
        skip_chunks(end, SIZE)
        client.send(b"0\r\n\r\n")
    else:
        thread = send_all(client)
        end.skip(SIZE)
    thread.join()
    grown = peak_bytes(plane.process) - before
    report(capsys, f"10 GB up: {SIZE / 1e6 / (time.monotonic() - began):.0f} MB/s, {grown / 1e6:.1f} MB more")
    assert grown < FLAT
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert client.answer()[0] == 200


def skip_chunks(wire: Wire, size: int) -> None:
    """Read chunks with so many bytes of data in all."""
    while size:
        line = b""
        while not line.endswith(b"\r\n"):
            line += wire.exactly(1)
        length = int(line, 16)
        wire.skip(length)
        assert wire.exactly(2) == b"\r\n"
        size -= length


class Giver(threading.Thread):
    """A session that answers every connection with EACH bytes, as fast as they are taken."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(daemon=True)
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self.ended = 0
        self.stopped = False

    def run(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self.stopped:
            for key, event in self._selector.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._give(key, event)

    def stop(self) -> None:
        """End the thread and all connections."""
        self.stopped = True
        self.join()
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not self._listener:
                self._end(key)
        self._selector.close()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                end, _ = self._listener.accept()
                end.setblocking(False)
                self._selector.register(end, selectors.EVENT_READ)

    def _give(self, key: selectors.SelectorKey, event: int) -> None:
        end = key.fileobj
        assert isinstance(end, socket.socket)
        try:
            if event & selectors.EVENT_WRITE:
                end.send(PIECE)
            elif end.recv(65536):
                end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % EACH)
                self._selector.modify(end, selectors.EVENT_WRITE)
            else:
                self._end(key)
        except BlockingIOError:
            return
        except OSError:
            self._end(key)

    def _end(self, key: selectors.SelectorKey) -> None:
        self._selector.unregister(key.fileobj)
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
        self.ended += 1


@pytest.fixture
def giver(plane: Plane) -> Iterator[Giver]:
    thread = Giver(plane.session.listener)
    thread.start()
    yield thread
    thread.stop()


def test_a_thousand_slow_readers_of_1_gb(plane: Plane, giver: Giver, capsys: pytest.CaptureFixture[str]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * READERS:
        pytest.skip(f"needs {3 * READERS} file descriptors, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = resident_bytes(plane.process)
    clients = [plane.ask() for _ in range(READERS)]
    taken, sizes = 0, []
    for _ in range(6):
        taken += read_slowly(clients, seconds=5)
        sizes.append(resident_bytes(plane.process) - before)
    growth = ", ".join(f"{size / 1e6:.0f}" for size in sizes)
    report(
        capsys, f"{READERS} readers took {taken / 1e6:.0f} MB; after 5, 10 … 30 s the data plane had {growth} MB more"
    )
    assert max(sizes) - sizes[0] < 20_000_000
    assert max(sizes) < READERS * 200_000
    for client in clients:
        client.reset()
    give_up = time.monotonic() + LIMIT_SECONDS
    while giver.ended < READERS:
        assert time.monotonic() < give_up, f"only {giver.ended} connections to the session ended"
        time.sleep(0.1)


def read_slowly(clients: list[Wire], seconds: float) -> int:
    """Each takes 4 KB, in turn, again and again; how many bytes that were."""
    end, taken = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for client in clients:
            taken += len(client.sock.recv(4096))
    return taken

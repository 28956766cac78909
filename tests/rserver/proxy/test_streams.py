"""Large bodies and slow readers in flat memory."""

import threading
from collections.abc import Callable

import pytest

from tests.rserver.proxy.memory import peak_bytes, reset_peak, resident_bytes
from tests.rserver.proxy.world import Wire, World

SIZE = 200_000_000
PIECE = b"a" * 1_000_000
FLAT = 30_000_000


def measured(action: Callable[[], None]) -> int:
    """By how many bytes this process grew at most meanwhile."""
    before = resident_bytes()
    reset_peak()
    action()
    return peak_bytes() - before


def send_all(wire: Wire, before: bytes = b"", after: bytes = b"") -> threading.Thread:
    """SIZE bytes in pieces, from a thread."""

    def send() -> None:
        for _ in range(SIZE // len(PIECE)):
            if before:
                wire.send(before)
            wire.send(PIECE + after)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def test_download(world: World) -> None:
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    client.head()

    def transfer() -> None:
        thread = send_all(end)
        client.skip(SIZE)
        thread.join()

    assert measured(transfer) < FLAT


def test_upload(world: World) -> None:
    client = world.ask("/x", f"Content-Length: {SIZE}", method="POST")
    end = world.session.accept()
    end.head()

    def transfer() -> None:
        thread = send_all(client)
        end.skip(SIZE)
        thread.join()

    assert measured(transfer) < FLAT
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert client.answer()[0] == 200


def test_chunked_download(world: World) -> None:
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.head()

    def transfer() -> None:
        thread = send_all(end, b"%x\r\n" % len(PIECE), b"\r\n")
        received = 0
        while received < SIZE:
            line = b""
            while not line.endswith(b"\r\n"):
                line += client.exactly(1)
            client.skip(int(line, 16))
            assert client.exactly(2) == b"\r\n"
            received += int(line, 16)
        thread.join()

    assert measured(transfer) < FLAT


def test_stalled_uploads_and_downloads_hold_little(world: World) -> None:
    clients, ends = [], []
    for _ in range(8):
        client = world.ask("/x")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        clients.append(client)
        ends.append(end)
    for client in clients:
        client.head()

    def stall() -> None:
        for end in ends:
            end.sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                end.send(PIECE * 64)

    # PIECE * 64 is the test's own.
    assert measured(stall) < 64_000_000 + 8_000_000
    for client in clients:
        client.close()
    for end in ends:
        assert end.to_end() == b""
    world.until(lambda: world.plane.carried == 0)


def test_session_that_does_not_read_stops_the_upload(hasty_world: World) -> None:
    world = hasty_world
    client = world.ask("/x", f"Content-Length: {SIZE}", method="POST")
    end = world.session.accept()
    end.head()
    client.sock.settimeout(0.3)

    def stall() -> None:
        with pytest.raises(TimeoutError):
            client.send(PIECE * 64)

    assert measured(stall) < 64_000_000 + 4_000_000
    assert world.plane.carried == 1
    client.reset()
    world.until(lambda: world.plane.carried == 0)


def test_answer_while_the_session_has_stopped_reading_the_upload(world: World) -> None:
    client = world.ask("/x", f"Content-Length: {SIZE}", method="POST")
    end = world.session.accept()
    end.head()
    client.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.send(PIECE * 64)
    end.send(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno")
    client.sock.settimeout(20)
    assert client.answer()[::2] == (413, b"no")


def test_slow_client_is_served_in_its_own_time(world: World) -> None:
    client = world.client(receive_buffer=4096)
    world.ask("/x", wire=client)
    end = world.session.accept()
    end.head()
    size = 2_000_000
    thread = threading.Thread(
        target=end.send, args=(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size,)
    )
    thread.start()
    client.head()
    for _ in range(size // 1000):
        client.exactly(1000)
    thread.join()

"""Requests sent before the answers to earlier ones are read: in order, bounded, and nobody else waits for them."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rserver.proxy.front import _REQUESTS_IN_A_TURN
from rserver.web.request import Request, RequestHead, Response
from tests.rserver.proxy.memory import peak_bytes, reset_peak, resident_bytes
from tests.rserver.proxy.world import SID, World, request

PAGE = b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n"
LARGE = 500_000


@pytest.fixture
def large_file(world: World) -> bytes:
    """A request for a file of LARGE bytes, answered without a sign-in."""
    (world.folder / "static").mkdir()
    (world.folder / "static" / "large.js").write_bytes(b"a" * LARGE)
    return b"GET /static/large.js HTTP/1.1\r\nHost: here\r\n\r\n"


def test_answers_nobody_reads_are_not_piled_up(world: World, large_file: bytes) -> None:
    client = world.client(receive_buffer=4096)
    client.sock.settimeout(0.5)
    before = resident_bytes() + len(large_file) * 400_000
    reset_peak()
    with pytest.raises(TimeoutError):
        client.send(large_file * 400_000)
    assert peak_bytes() - before < 16_000_000
    client.sock.settimeout(20)
    for _ in range(20):
        status, fields = client.status_and_fields()
        assert (status, int(fields["content-length"])) == (200, LARGE)
        client.skip(LARGE)


def test_requests_for_pages_that_take_a_moment_are_not_piled_up(world: World) -> None:
    async def later(_request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(200, b"a" * 2000)

    world.pages.answers["/large"] = later
    client = world.client(receive_buffer=4096)
    client.sock.settimeout(1)
    assert sum(_sent_until_nobody_reads(client.sock, PAGE * 2000, 12_000_000)) < 12_000_000
    client.sock.settimeout(20)
    for _ in range(2000):
        assert client.status_and_fields()[0] == 200
        client.skip(2000)


def test_requests_for_a_session_wait_for_the_client_to_read(world: World) -> None:
    client = world.client(receive_buffer=4096)
    client.send(request(f"/s/{SID}/1") + request(f"/s/{SID}/2"))
    end = world.session.accept()
    assert end.head().startswith(b"GET /1 ")
    size = 10_000_000
    writer = threading.Thread(
        target=end.send, args=(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size,)
    )
    writer.start()
    client.head()
    client.skip(size - 9_000_000)
    assert end.silent()
    client.skip(9_000_000)
    writer.join()
    assert end.head().startswith(b"GET /2 ")


def test_others_are_served_meanwhile(world: World) -> None:
    def ignore_answers() -> None:
        with suppress(OSError):
            while flood.sock.recv(1 << 16):
                continue

    def send() -> None:
        with suppress(OSError):
            flood.send(many)

    many = b"GET /static/none HTTP/1.1\r\nHost: here\r\n\r\n" * 100_000
    flood = world.client()
    threads = [threading.Thread(target=send), threading.Thread(target=ignore_answers)]
    for thread in threads:
        thread.start()
    other = world.client()
    waits = []
    for _ in range(50):
        began = time.monotonic()
        other.send(request("/page"))
        assert other.answer()[0] == 200
        waits.append(time.monotonic() - began)
    assert sorted(waits)[25] < 0.1
    flood.sock.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


def test_few_of_one_client_are_begun_before_others_have_their_turn(world: World) -> None:
    turn, begun = 0, Counter[int]()
    loop = world.plane._loop

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        if begun.total() < 5000:
            loop.call_soon(next_turn)

    def count(_: RequestHead) -> None:
        begun[turn] += 1

    world.plane._services.closed = count
    world.call(next_turn)
    client = world.client()
    client.send(f"GET /s/{SID} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 5000)
    for _ in range(5000):
        assert client.answer()[0] == 308
    # A piece that arrives and a turn that was owed may meet.
    assert max(begun.values()) <= 2 * _REQUESTS_IN_A_TURN


def test_what_is_pipelined_behind_a_slow_page_is_bounded(world: World) -> None:
    async def never(_: Request) -> Response:
        await released.wait()
        return Response()

    released = asyncio.Event()
    world.pages.answers["/slow"] = never
    client = world.client()
    client.sock.settimeout(0.5)
    client.send(request("/slow"))
    with pytest.raises(TimeoutError):
        client.send(b"GET /x HTTP/1.1\r\nHost: here\r\n\r\n" * 1_000_000)
    assert world.call(lambda: max(len(front._heads) for front in world.plane._fronts)) < 512 * 1024
    world.call(released.set)
    client.sock.settimeout(20)
    assert client.answer()[0] == 200
    assert client.answer()[0] == 200


def _sent_until_nobody_reads(sock: socket.socket, piece: bytes, most: int) -> Iterator[int]:
    left = most
    with suppress(TimeoutError):
        while left > 0:
            yield (sent := sock.send(piece[:left]))
            left -= sent

"""What differs when the client speaks TLS: other transports, other moments at which one side waits for the other."""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.settings import FrontSettings
from rserver.tls import self_signed
from tests.rserver.proxy.world import SWITCHED, UPGRADE, Wire, World, running_world

SIZE = 1_000_000


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[World, Wire]]:
    """A world with one client that speaks TLS."""
    pem = tmp_path / "self-signed.pem"
    pem.write_bytes(self_signed.make(["localhost"]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    with running_world(tmp_path, FrontSettings(tls=True)) as world:
        world.listen_with(context)
        client = Wire(trusting.wrap_socket(world.client(receive_buffer=4096).sock, server_hostname="localhost"))
        yield world, client
        client.close()


def test_connection_that_was_paused_by_the_last_piece_is_used_again(encrypted: tuple[World, Wire]) -> None:
    """Answers to a slow reader in a row: one that left its connection paused would be the last."""
    world, client = encrypted
    world.ask("/x", wire=client)
    end = world.session.accept()
    for size in range(SIZE, 2 * SIZE, 50_000):
        assert end.head().startswith(b"GET /x ")
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
        sender = threading.Thread(target=end.send, args=(answer,))
        sender.start()
        assert client.status_and_fields()[0] == 200
        client.skip(size)
        sender.join()
        world.ask("/x", wire=client)
    assert world.session.nobody_comes()


def test_large_upload(encrypted: tuple[World, Wire]) -> None:
    world, client = encrypted
    world.ask("/x", f"Content-Length: {20 * SIZE}", method="POST", wire=client)
    end = world.session.accept()
    assert b"X-Forwarded-Proto: https" in end.head()
    sender = threading.Thread(target=client.send, args=(b"a" * 20 * SIZE,))
    sender.start()
    end.skip(20 * SIZE)
    sender.join()
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.answer()[2] == b"ok"


def test_bytes_beside_the_101_and_both_ways_after_it(encrypted: tuple[World, Wire]) -> None:
    world, client = encrypted
    world.ask("/events", *UPGRADE[:2], "Origin: https://here", *UPGRADE[3:], wire=client)
    end = world.session.accept()
    end.head()
    client.send(b"early")
    assert end.silent()
    end.send(SWITCHED + b"first")
    assert client.status_and_fields()[0] == 101
    assert client.exactly(5) == b"first"
    assert end.exactly(5) == b"early"
    sender = threading.Thread(target=end.send, args=(b"s" * 5 * SIZE,))
    sender.start()
    client.skip(5 * SIZE)
    sender.join()
    end.close()
    assert client.to_end() == b""


def test_broken_framing_is_told_and_closed(encrypted: tuple[World, Wire]) -> None:
    world, client = encrypted
    world.ask("/x", "Transfer-Encoding: chunked", "Content-Length: 3", method="POST", wire=client)
    status, fields, body = client.answer()
    assert (status, fields["connection"]) == (400, "close")
    assert b"Transfer-Encoding together with Content-Length" in body


def test_client_that_goes_frees_its_long_poll(encrypted: tuple[World, Wire]) -> None:
    world, client = encrypted
    world.ask("/rpc/get_events", method="POST", wire=client)
    end = world.session.accept()
    end.head()
    client.close()
    assert end.to_end() == b""
    world.until(lambda: world.plane.carried == 0)

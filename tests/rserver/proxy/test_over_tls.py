"""What differs when the client speaks TLS: other transports, other moments at which one side waits for the other."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


SPOKEN_IN_CLEAR = [
    (b"GET /s/x?y=1 HTTP/1.1\r\nHost: r.test:8787\r\n\r\n", b"301", b"Location: https://r.test:8787/s/x?y=1\r\n"),
    (b"POST /auth HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 3\r\n\r\na=b", b"301", b"https://[::1]:1/auth\r\n"),
    (b"GET / HTTP/1.0\r\n\r\n", b"400", b"Come over HTTPS."),
    (b"GET / HTTP/1.1\r\n\r\n", b"400", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: a/../evil.test\r\n\r\n", b"400", b"Host"),
    (b"GET http://evil.test/ HTTP/1.1\r\nHost: r.test\r\n\r\n", b"400", b"address"),
]


@contextmanager
def listening(tmp_path: Path, compiled: bool, head_seconds: float) -> Iterator[World]:
    """A world whose clients should speak TLS."""
    pem = tmp_path / "self-signed.pem"
    pem.write_bytes(self_signed.make(["localhost"]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    settings = FrontSettings(
        tls=True, head_seconds=head_seconds, linger_seconds=0.2, tick_seconds=0.02, add_headers=("X-Only: over-tls",)
    )
    with running_world(tmp_path, settings, compiled=compiled) as world:
        world.listen_with(context)
        yield world


@pytest.fixture
def patient(tmp_path: Path, compiled: bool) -> Iterator[World]:
    with listening(tmp_path, compiled, 20.0) as world:
        yield world


@pytest.fixture
def impatient(tmp_path: Path, compiled: bool) -> Iterator[World]:
    with listening(tmp_path, compiled, 0.2) as world:
        yield world


@pytest.mark.parametrize(("request_in_clear", "status", "says"), SPOKEN_IN_CLEAR)
def test_who_speaks_http_is_told_to_come_over_https(
    patient: World, request_in_clear: bytes, status: bytes, says: bytes
) -> None:
    client = patient.client()
    client.send(request_in_clear)
    answer = client.to_end()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert says in answer
    assert b"Connection: close" in answer
    assert b"over-tls" not in answer
    assert patient.session.nobody_comes()


def test_only_one_request_in_clear_is_answered(patient: World) -> None:
    client = patient.client()
    client.send(3 * b"GET / HTTP/1.1\r\nHost: r.test\r\nCookie: user-id=alice\r\n\r\n")
    assert client.to_end().count(b"HTTP/1.1 301 ") == 1


@pytest.mark.parametrize("beginning", [b"", b"GE", b"\x16", b"\x80\x2e\x01", b"\0"])
def test_who_goes_on_with_nothing_or_nonsense_is_hung_up_on(impatient: World, beginning: bytes) -> None:
    client = impatient.client()
    client.send(beginning)
    answer = client.to_end()
    assert answer == b"" or b" 408 " in answer or answer[:1] == b"\x15"
    impatient.until(lambda: impatient.plane.connections == 0)

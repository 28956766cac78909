"""After 101: bytes both ways until somebody ends."""

import resource
import socket
import threading

import pytest

from tests.rserver.proxy.memory import resident_bytes
from tests.rserver.proxy.world import COOKIE, OTHER_SID, SID, SWITCHED, UPGRADE, Wire, World, request


def test_handshake_and_messages(world: World) -> None:
    client = world.ask("/events?after=3", *UPGRADE)
    end = world.session.accept()
    lines = end.head().decode().split("\r\n")
    assert lines[0] == "GET /events?after=3 HTTP/1.1"
    assert {"connection: Upgrade", "upgrade: websocket", "sec-websocket-key: x", "origin: http://here"} < set(lines)
    assert not any("user-id" in line for line in lines)
    end.send(SWITCHED.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: y\r\nSet-Cookie: user-id=z\r\n\r\n"))
    assert client.status_and_fields() == (
        101,
        {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-accept": "y"},
    )
    for _ in range(3):
        client.send(b"\x81\x85masked")
        assert end.exactly(8) == b"\x81\x85masked"
        end.send(b"\x81\x03abc")
        assert client.exactly(5) == b"\x81\x03abc"


def test_bytes_that_come_with_the_101_are_handed_over(world: World) -> None:
    client = world.ask("/events", *UPGRADE)
    end = world.session.accept()
    end.head()
    end.send(SWITCHED + b"first message")
    client.head()
    assert client.exactly(13) == b"first message"


def test_nothing_is_tunnelled_before_the_101(world: World) -> None:
    client = world.ask("/events", *UPGRADE)
    end = world.session.accept()
    end.head()
    client.send(b"early")
    assert end.silent()
    end.send(SWITCHED)
    assert end.exactly(5) == b"early"


def test_refused_upgrade_is_an_ordinary_answer(world: World) -> None:
    client = world.ask("/events", *UPGRADE)
    end = world.session.accept()
    end.head()
    end.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
    assert client.answer()[::2] == (403, b"no")
    world.ask("/ping", wire=client)
    assert end.head().startswith(b"GET /ping ")


@pytest.mark.parametrize("fields", [UPGRADE[1:], (UPGRADE[0], *UPGRADE[2:]), ("Connection: Upgrade", "Upgrade: h2c")])
def test_half_a_handshake_is_an_ordinary_request(world: World, fields: tuple[str, ...]) -> None:
    world.ask("/events", *fields)
    head = world.session.accept().head().lower()
    assert b"upgrade" not in head


def test_the_way_from_one_session_to_the_text_of_another_is_closed_alone(world: World) -> None:
    client, end = world.open_websocket()
    joined = world.ask(f"/collab/{OTHER_SID}/00000000", *UPGRADE)
    host = world.session.accept()
    assert b"GET /collab/" in host.head()
    host.send(SWITCHED)
    assert joined.status_and_fields()[0] == 101
    assert world.call(lambda: world.plane.close_join(OTHER_SID, SID)) == 0
    assert world.call(lambda: world.plane.close_join(SID, OTHER_SID)) == 1
    assert joined.to_end() == host.to_end() == b""
    client.send(b"still here")
    assert end.exactly(10) == b"still here"


def test_not_signed_in(world: World) -> None:
    client = world.client()
    client.send(request(f"/s/{SID}/events", *UPGRADE).replace(COOKIE.encode(), b"A: b"))
    assert client.answer()[0] == 401


@pytest.mark.parametrize("size", [100_000, 20_000_000])
def test_large_messages_both_ways(world: World, size: int) -> None:
    client, end = world.open_websocket()
    writer = threading.Thread(target=client.send, args=(b"c" * size,))
    echo = threading.Thread(target=end.send, args=(b"s" * size,))
    writer.start()
    echo.start()
    reader = threading.Thread(target=end.skip, args=(size,))
    reader.start()
    client.skip(size)
    for thread in (writer, echo, reader):
        thread.join()


def test_slow_reader_stops_the_writer(world: World) -> None:
    client, end = world.open_websocket()
    before = resident_bytes()
    end.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        end.send(b"s" * 100_000_000)
    assert resident_bytes() - before < 110_000_000
    assert world.call(lambda: world.plane.carried) == 1
    client.close()
    assert end.to_end() == b""


def test_pause_from_before_the_101_is_not_forgotten(world: World) -> None:
    """A client that still has an earlier answer to read is as slow after the upgrade."""
    client = world.client(receive_buffer=4096)
    size = 6_000_000
    world.ask("/x", wire=client)
    end = world.session.accept()
    end.head()
    writer = threading.Thread(target=end.send, args=(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size,))
    writer.start()
    body = threading.Thread(target=end.send, args=(b"a" * size,))
    writer.join()
    body.start()
    world.ask("/events", *UPGRADE, wire=client)
    client.head()
    client.skip(size)
    body.join()
    assert b"upgrade: websocket" in end.head()
    end.send(SWITCHED)
    assert client.status_and_fields()[0] == 101
    end.send(b"after")
    assert client.exactly(5) == b"after"


class TestEnds:
    def test_client_closes(self, world: World) -> None:
        client, end = world.open_websocket()
        client.close()
        assert end.to_end() == b""
        end.close()
        world.events.wait_for("disconnected")
        world.until(lambda: world.plane.carried == 0)

    def test_client_resets(self, world: World) -> None:
        client, end = world.open_websocket()
        client.reset()
        assert end.to_end() == b""
        world.until(lambda: world.plane.carried == 0)

    def test_session_closes(self, world: World) -> None:
        client, end = world.open_websocket()
        end.send(b"last")
        end.close()
        assert client.to_end() == b"last"
        client.close()
        world.until(lambda: world.plane.carried == 0)

    def test_half_close_is_passed_on(self, world: World) -> None:
        client, end = world.open_websocket()
        client.send(b"bye")
        client.sock.shutdown(socket.SHUT_WR)
        assert end.to_end() == b"bye"
        end.send(b"farewell")
        end.close()
        assert client.to_end() == b"farewell"
        world.until(lambda: world.plane.carried == 0)

    def test_sign_out_closes_them(self, world: World) -> None:
        client, end = world.open_websocket()
        poll = world.ask("/rpc/get_events", method="POST")
        world.session.accept().head()
        assert world.call(world.plane.listeners) == {SID: 2}
        assert world.call(lambda: world.plane.close_user("bob")) == 0
        assert world.call(lambda: world.plane.close_user("alice")) == 2
        assert client.to_end() == end.to_end() == poll.to_end() == b""
        world.until(lambda: world.plane.carried == 0)
        assert world.call(world.plane.listeners) == {}

    def test_end_of_a_session_closes_them(self, world: World) -> None:
        client, end = world.open_websocket()
        assert world.call(lambda: world.plane.close_session("other")) == 0
        assert world.call(lambda: world.plane.close_session(SID)) == 1
        assert client.to_end() == end.to_end() == b""


def test_a_thousand_idle_ones_leave_no_memory_behind(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4200:
        pytest.skip(f"needs 4,200 file descriptors, {hard} are allowed")
    assert soft == hard
    open_and_close_many(world, 1000)
    before = resident_bytes()
    during = open_and_close_many(world, 1000)
    assert during - before < 8_000_000
    assert resident_bytes() - before < 2_000_000
    assert world.events.count("disconnected") == world.events.count("connected") == 2000
    assert world.call(lambda: len(world.plane._deadlines)) == 0


def open_and_close_many(world: World, count: int) -> int:
    """Memory used while so many are open."""
    pairs: list[tuple[Wire, Wire]] = [world.open_websocket() for _ in range(count)]
    during = resident_bytes()
    seen = world.events.count("disconnected")
    for client, end in pairs:
        client.close()
        end.close()
    world.forget()
    world.events.wait_for("disconnected", seen + count)
    world.until(lambda: world.plane.carried == 0)
    return during

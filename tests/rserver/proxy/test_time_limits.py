"""Clients that take their time, and those that never come back."""

import socket
import threading

import pytest

from tests.rserver.proxy.world import SWITCHED, UPGRADE, World, request


def test_slow_head_is_refused(hasty_world: World) -> None:
    client = hasty_world.client()
    client.send(b"GET / HTTP/1.1\r\nHost: he")
    assert client.answer()[0] == 408
    assert client.to_end() == b""


def test_drops_of_a_head_do_not_prolong_it(hasty_world: World) -> None:
    client = hasty_world.client()
    while client.silent(0.02):
        client.send(b"G")
    assert client.answer()[0] in {400, 408}


def test_second_head_is_limited_too(hasty_world: World) -> None:
    client = hasty_world.client()
    client.send(b"GET /a HTTP/1.1\r\nHost: here\r\n\r\nGET /b HT")
    assert client.answer()[0] == 200
    assert client.answer()[0] == 408


def test_silent_connection_is_closed(hasty_world: World) -> None:
    assert hasty_world.client().to_end() == b""


def test_idle_connection_is_closed(hasty_world: World) -> None:
    client = hasty_world.client()
    client.send(b"GET /a HTTP/1.1\r\nHost: here\r\n\r\n")
    client.answer()
    assert client.to_end() == b""


def test_stalled_body_is_refused(hasty_world: World) -> None:
    client = hasty_world.ask("/x", "Content-Length: 10", method="POST")
    client.send(b"abc")
    end = hasty_world.session.accept()
    end.head()
    assert client.answer()[0] == 408
    assert end.to_end() == b"abc"


def test_slow_answer_is_awaited(hasty_world: World) -> None:
    client = hasty_world.ask("/rpc/get_events", method="POST", body=b"{}")
    end = hasty_world.session.accept()
    end.head()
    assert client.silent(0.5)
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong")
    assert client.answer()[2] == b"pong"


def test_websocket_may_be_idle(hasty_world: World) -> None:
    client, end = hasty_world.open_websocket()
    assert client.silent(0.5)
    end.send(b"abc")
    assert client.exactly(3) == b"abc"


def test_many_bytes_before_the_101_leave_no_time_limit_behind(hasty_world: World) -> None:
    client = hasty_world.ask("/events", *UPGRADE)
    end = hasty_world.session.accept()
    end.head()
    early = b"e" * 2_000_000
    writer = threading.Thread(target=client.send, args=(early,))
    writer.start()
    assert end.silent(0.2)
    end.send(SWITCHED)
    assert end.exactly(len(early)) == early
    writer.join()
    assert client.status_and_fields()[0] == 101
    assert client.silent(0.5)


def test_large_early_answer_reaches_a_slow_client(hasty_world: World) -> None:
    size = 3_000_000
    client = hasty_world.client(receive_buffer=4096)
    hasty_world.ask("/x", "Content-Length: 1000000000", method="POST", wire=client)
    end = hasty_world.session.accept()
    end.head()
    head = b"HTTP/1.1 413 Large\r\nContent-Length: %d\r\n\r\n" % size
    writer = threading.Thread(target=end.send, args=(head + b"a" * size,))
    writer.start()
    client.head()
    client.skip(size - 5000)
    writer.join()
    assert not client.silent(0.5)
    client.skip(5000)
    assert client.to_end() == b""


def test_lingering_ends(hasty_world: World) -> None:
    client = hasty_world.client()
    client.send(b"nonsense\r\n\r\n")
    client.answer()
    hasty_world.until(lambda: hasty_world.plane.connections == 0)


def test_body_held_by_a_busy_session_is_not_stalled(hasty_world: World) -> None:
    client = hasty_world.ask("/x", "Content-Length: 100000000", method="POST")
    end = hasty_world.session.accept()
    end.head()
    client.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.send(b"a" * 50_000_000)
    assert hasty_world.plane.carried == 1


def test_many_slow_heads_do_not_stop_others(world: World) -> None:
    slow = [world.client() for _ in range(200)]
    for client in slow:
        client.send(b"GET / HTTP/1.1\r\n")
    other = world.client()
    other.send(request("/page"))
    assert other.answer()[0] == 200
    assert world.plane.connections == 201


def test_half_open_connections_are_probed(world: World) -> None:
    """Accepted sockets inherit the options of the listener: nobody can be gone for much longer than two minutes."""
    client, _ = world.open_websocket()
    listener = world.plane._acceptors[0].listener
    limit = sum(
        (
            listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            * listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
        )
    )
    assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert limit == 120
    client.close()


def test_stop_lets_requests_end(world: World) -> None:
    idle = world.client()
    idle.send(request("/page"))
    idle.answer()
    busy = world.ask("/x")
    end = world.session.accept()
    end.head()
    websocket, _ = world.open_websocket()
    stopping = world.begin(world.plane.stop(10))
    assert idle.to_end() == b""
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong")
    status, fields, _ = busy.answer()
    assert (status, fields["connection"]) == (200, "close")
    stopping.result(20)
    assert websocket.to_end() == b""
    with pytest.raises(ConnectionRefusedError):
        world.client()


def test_too_many_connections_are_told_so(world: World) -> None:
    world.plane._services.connections.most = 3
    clients = [world.client() for _ in range(3)]
    world.until(lambda: world.plane.connections == 3)
    refused = world.client()
    refused.send(request("/page"))
    status, fields, _ = refused.answer()
    refused.close()
    assert (status, fields["retry-after"]) == (503, "5")
    clients[0].close()
    world.until(lambda: world.plane.connections == 2)
    client = world.ask("/x")
    world.session.accept().head()
    client.close()

"""Which connections to a session are used again."""

import threading

import pytest

from rserver.proxy.settings import FrontSettings
from rserver.web.request import Target
from tests.rserver.proxy.world import OTHER_SID, Session, Wire, World, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"


def answered(world: World, answer: bytes) -> Wire:
    """The session's end of a connection that was used for this answer."""
    client = world.ask("/x")
    end = world.session.accept()
    end.head()
    end.send(answer)
    client.status_and_fields()
    world.events.wait_for("disconnected")
    client.close()
    return end


def pooled(world: World) -> int:
    return world.call(lambda: len(world.plane._pool))


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 204 None\r\n\r\n",
    ],
)
def test_clean_connection_is_kept(world: World, answer: bytes) -> None:
    end = answered(world, answer)
    assert pooled(world) == 1
    world.ask("/again")
    assert end.head().startswith(b"GET /again ")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npong",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npong",
        OK + b"surplus",
        OK + OK,
        b"HTTP/1.1 204 None\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_doubtful_connection_is_closed(world: World, answer: bytes) -> None:
    end = answered(world, answer)
    assert end.to_end() == b""
    assert pooled(world) == 0


def test_data_on_an_idle_connection_closes_it(world: World) -> None:
    end = answered(world, OK)
    end.send(OK)
    assert end.to_end() == b""
    world.until(lambda: len(world.plane._pool) == 0)


def test_session_that_closes_an_idle_connection_is_asked_on_a_new_one(world: World) -> None:
    answered(world, OK).close()
    world.until(lambda: len(world.plane._pool) == 0)
    client = world.ask("/again", method="POST")
    end = world.session.accept()
    end.head()
    end.send(OK)
    assert client.answer()[0] == 200


def test_idle_connections_expire(hasty_world: World) -> None:
    end = answered(hasty_world, OK)
    assert end.to_end() == b""
    hasty_world.until(lambda: len(hasty_world.plane._pool) == 0)


def test_idle_connections_are_counted(world: World) -> None:
    clients = [world.ask("/x") for _ in range(FrontSettings().pool_size + 8)]
    ends = [world.session.accept() for _ in clients]
    for end in ends:
        end.head()
        end.send(OK)
    for client in clients:
        client.answer()
    assert pooled(world) == FrontSettings().pool_size


def test_connections_of_sessions_are_not_mixed(world: World) -> None:
    answered(world, OK)
    other = Session(str(world.folder / "other.sock"))
    world.gate.targets[OTHER_SID] = Target(other.path, world.target.uid)
    client = world.client()
    client.send(request(f"/s/{OTHER_SID}/x"))
    end = other.accept()
    end.head()
    end.send(OK)
    assert client.answer()[0] == 200
    assert pooled(world) == 2
    other.close()


def test_paused_connection_is_resumed_before_it_is_kept(world: World) -> None:
    size = 3_000_000
    client = world.client(receive_buffer=4096)
    world.ask("/x", wire=client)
    end = world.session.accept()
    end.head()
    # The client reads nothing yet: the last piece of the answer leaves the connection to the session paused.
    end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    send_in_thread(end, b"a" * size)
    client.head()
    client.skip(size)
    world.until(lambda: len(world.plane._pool) == 1)
    other = world.ask("/again")
    assert end.head().startswith(b"GET /again ")
    end.send(OK)
    assert other.answer()[2] == b"pong"


def send_in_thread(wire: Wire, data: bytes) -> None:
    threading.Thread(target=wire.send, args=(data,), daemon=True).start()

"""Many clients and session connections that behave and misbehave in random ways: nothing may be left behind."""

import random
import re
import threading
from contextlib import suppress

import pytest

from tests.rserver.proxy.world import SID, SWITCHED, UPGRADE, Wire, World, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"
ANSWERS = [
    OK,
    OK,
    OK,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"a" * 300_000,
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npong",
    b"HTTP/1.1 204 None\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npo",
    b"HTTP/1.1 200 OK\r\n\r\nuntil close",
    b"nonsense\r\n\r\n",
    OK + OK,
    b"",
]
COMPLETE = 7


def serve(world: World, seed: int) -> None:
    """Accept until stop_accepting."""
    chance = random.Random(seed)
    with suppress(OSError):
        while not world.session.stopped:
            end = world.session.accept()
            threading.Thread(target=converse, args=(end, chance.random()), daemon=True).start()


def converse(end: Wire, seed: float) -> None:
    """Answer what comes in a random way; after an answer that is broken, close."""
    chance = random.Random(seed)
    with suppress(OSError, AssertionError):
        while True:
            head = end.head()
            if b"upgrade: websocket" in head:
                end.send(SWITCHED)
                end.exactly(10)
                end.send(b"0123456789")
                break
            if match := re.search(rb"content-length: (\d+)", head):
                end.skip(int(match[1]))
            number = chance.randrange(len(ANSWERS))
            end.send(ANSWERS[number])
            if number >= COMPLETE:
                break
    end.close()


def visit(world: World, chance: random.Random) -> None:
    """One random visit."""
    client = world.client()
    client.sock.settimeout(5)
    act = chance.choice([polite, polite, polite, hasty, pipelining, websocket, half_sent, nonsense, resetting])
    with suppress(OSError, AssertionError, ValueError, IndexError):
        act(client, chance)
    client.close()


def polite(client: Wire, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 5)):
        body = b"b" * chance.choice([0, 3, 100_000])
        client.send(request(f"/s/{SID}/x", method="POST" if body else "GET", body=body))
        if client.status_and_fields()[0] != 200:
            return
        client.exactly(4)


def hasty(client: Wire, _: random.Random) -> None:
    client.send(request(f"/s/{SID}/x"))


def pipelining(client: Wire, chance: random.Random) -> None:
    client.send(b"".join(request(chance.choice(["/page", f"/s/{SID}/x", "/static/x"])) for _ in range(20)))
    client.to_end()


def websocket(client: Wire, chance: random.Random) -> None:
    client.send(request(f"/s/{SID}/events", *UPGRADE) + b"01234"[: chance.randrange(6)])
    client.head()
    client.send(b"0123456789")
    client.to_end()


def half_sent(client: Wire, chance: random.Random) -> None:
    whole = request(f"/s/{SID}/x", method="POST", body=b"b" * 1000)
    client.send(whole[: chance.randrange(len(whole))])


def nonsense(client: Wire, chance: random.Random) -> None:
    client.send(chance.randbytes(200))
    client.to_end()


def resetting(client: Wire, _: random.Random) -> None:
    client.send(request(f"/s/{SID}/x", method="POST", body=b"b" * 1000))
    client.sock.recv(1)
    client.reset()


@pytest.mark.parametrize("seed", range(3))
def test_turmoil_leaves_nothing_behind(hasty_world: World, seed: int) -> None:
    world = hasty_world
    server = threading.Thread(target=serve, args=(world, seed), daemon=True)
    server.start()

    def visits(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        for _ in range(60):
            visit(world, chance)

    threads = [threading.Thread(target=visits, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.until(lambda: world.plane.connections == world.plane.carried == 0)
    world.until(lambda: len(world.plane._pool) == len(world.plane._deadlines) == 0)
    # A session of which requests were carried counts as connected for up to two seconds more.
    world.until(lambda: world.events.count("connected") == world.events.count("disconnected") > 100)
    assert world.call(lambda: len(world.plane._services.tasks)) == 0
    world.session.stop_accepting()
    server.join()

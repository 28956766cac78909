"""Too many connections, too slow clients, too much for one user."""

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from rserver.tls import self_signed
from rserver.web.request import Request, Response
from rserver.web.responses import plain
from tests.rserver.proxy.world import SID, UPGRADE, Wire, World, request, running_world

HASTY = FrontSettings(
    tick_seconds=0.02,
    head_seconds=0.5,
    body_stall_seconds=0.4,
    send_seconds=0.4,
    linger_seconds=0.2,
    paused_seconds=0.1,
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path, replace(HASTY, max_per_address=3, max_per_user=2)) as running:
        yield running


def occupy(world: World, count: int) -> list[Wire]:
    """Connections that wait for the answer of the session."""
    clients = [world.ask("/x") for _ in range(count)]
    for _ in clients:
        world.session.accept().head()
    return clients


def ask_health(world: World) -> int:
    client = world.client()
    client.send(request("/health-check"))
    return client.answer()[0]


def test_address_with_too_many_connections_is_told_when_to_come_again(small_world: World) -> None:
    waiting = [small_world.client() for _ in range(3)]
    client = small_world.client()
    client.send(request("/rpc"))
    status, fields, body = client.answer()
    assert (status, fields["retry-after"], fields["connection"]) == (503, "5", "close")
    assert json.loads(body)["error"]["code"] == 2
    waiting[0].close()
    small_world.until(lambda: small_world.plane.connections == 2)
    assert ask_health(small_world) == 200


def test_browser_gets_a_page(small_world: World) -> None:
    _waiting = [small_world.client() for _ in range(3)]
    client = small_world.client()
    client.send(request("/home", "Accept: text/html"))
    status, fields, body = client.answer()
    assert (status, fields["retry-after"]) == (503, "5")
    assert body.startswith(b"error page: There are too many connections")


def test_health_check_is_answered_above_the_limit(small_world: World) -> None:
    _waiting = [small_world.client() for _ in range(3)]
    # More than are listened to at once, and none says anything.
    _silent = [small_world.client() for _ in range(100)]
    assert ask_health(small_world) == 200
    small_world.until(lambda: small_world.plane.connections <= 67)


def test_websocket_keeps_its_place(small_world: World) -> None:
    client, end = small_world.open_websocket()
    _waiting = [small_world.client() for _ in range(2)]
    assert ask_page(small_world) == 503
    client.close()
    end.close()
    small_world.until(lambda: len(small_world.plane._services.connections) == 2)
    assert ask_page(small_world) == 200


def ask_page(world: World) -> int:
    client = world.client()
    client.send(request("/page"))
    return client.answer()[0]


def test_address_of_a_trusted_proxy_is_not_limited(tmp_path: Path) -> None:
    settings = FrontSettings(max_per_address=2, trusted_proxies=TrustedProxies(["127.0.0.1"]))
    with running_world(tmp_path, settings) as world:
        _waiting = [world.client() for _ in range(5)]
        assert ask_page(world) == 200


def test_pages_are_limited_for_each_browser_behind_a_proxy(tmp_path: Path) -> None:
    settings = FrontSettings(max_per_address=2, trusted_proxies=TrustedProxies(["127.0.0.1"]))
    with running_world(tmp_path, settings) as world:
        released = asyncio.Event()

        async def slow(_request: Request) -> Response:
            await released.wait()
            return plain("late")

        world.pages.answers["/slow"] = slow
        waiting = [world.client() for _ in range(3)]
        for client in waiting[:2]:
            client.send(request("/slow", "X-Forwarded-For: 192.0.2.1"))
        world.until(lambda: len(world.plane._services.pages_open) == 2)
        waiting[2].send(request("/slow", "X-Forwarded-For: 192.0.2.1"))
        assert waiting[2].answer()[0] == 503
        other = world.client()
        other.send(request("/page", "X-Forwarded-For: 192.0.2.2"))
        assert other.answer()[0] == 200
        world.call(released.set)
        assert [client.answer()[0] for client in waiting[:2]] == [200, 200]
        world.until(lambda: len(world.plane._services.pages_open) == 0)


def test_pages_given_up_leave_no_place_taken(hasty_world: World) -> None:
    for _ in range(3):
        client = hasty_world.client()
        client.send(request("/page", "Content-Length: 10", method="POST"))
        client.close()
    too_large = hasty_world.client()
    too_large.send(request("/page", method="POST", body=b"a" * 10))
    assert too_large.answer()[0] == 200
    too_large.send(request("/page", "Transfer-Encoding: chunked", method="POST") + b"11000\r\n" + b"a" * 0x11000)
    assert too_large.answer()[0] == 413
    hasty_world.until(lambda: len(hasty_world.plane._services.pages_open) == 0)


def test_user_has_so_many_requests_and_others_are_served(small_world: World) -> None:
    occupy(small_world, 2)
    client = small_world.ask("/x")
    status, fields, body = client.answer()
    assert (status, fields["retry-after"]) == (503, "5")
    assert "2 requests" in json.loads(body)["error"]["message"]
    client.send(request(f"/s/{SID}/x").replace(b"user-id=alice", b"user-id=bob"))
    end = small_world.session.accept()
    end.head()
    end.send(OK)
    assert client.answer()[0] == 200


def test_websockets_of_a_user_count(small_world: World) -> None:
    ends = [small_world.open_websocket() for _ in range(2)]
    assert small_world.ask("/events", *UPGRADE).answer()[0] == 503
    for end in ends[0]:
        end.close()
    small_world.until(lambda: small_world.plane.carried == 1)
    small_world.open_websocket()


def test_drops_of_a_body_are_too_slow(small_world: World) -> None:
    client = small_world.ask("/x", "Content-Length: 100000", method="POST")
    small_world.session.accept().head()
    while client.silent(0.02):
        client.send(b"a")
    assert client.answer()[0] == 408


def test_body_that_comes_slowly_but_surely_is_taken(small_world: World) -> None:
    client = small_world.ask("/x", "Content-Length: 4000", method="POST")
    end = small_world.session.accept()
    end.head()
    for _ in range(40):
        assert client.silent(0.025)
        client.send(b"a" * 100)
    assert len(end.exactly(4000)) == 4000


def test_client_that_awaits_our_word_is_not_slow(small_world: World) -> None:
    answer: asyncio.Future[Response] = small_world.call(lambda: asyncio.get_running_loop().create_future())
    small_world.gate.targets[SID] = lambda: answer
    client = small_world.ask("/x", "Content-Length: 4", "Expect: 100-continue", method="POST")
    assert client.silent(1)
    small_world.call(lambda: answer.set_result(plain("no session", 404)))
    assert client.answer()[0] == 404


def test_reader_of_a_session_who_stands_still_is_cut_off(small_world: World) -> None:
    client = small_world.client(receive_buffer=4096)
    small_world.ask("/x", wire=client)
    end = small_world.session.accept()
    end.head()
    writer = threading.Thread(target=_send_all, args=(end, 50_000_000))
    writer.start()
    writer.join(20)
    assert not writer.is_alive()
    small_world.until(lambda: small_world.plane.connections == 0)
    assert small_world.plane.carried == 0


def _send_all(end: Wire, size: int) -> None:
    """Send until somebody breaks it off."""
    try:
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
    except (BrokenPipeError, ConnectionResetError):
        return


def test_reader_of_a_page_who_stands_still_is_cut_off(small_world: World) -> None:
    async def large(_request: Request) -> Response:
        return plain("a" * 20_000_000)

    small_world.pages.answers["/large"] = large
    clients = [small_world.client(receive_buffer=4096) for _ in range(2)]
    clients[0].send(request("/large"))
    clients[1].send(request("/large", "Connection: close"))
    small_world.until(lambda: small_world.plane.connections == 2)
    small_world.until(lambda: small_world.plane.connections == 0)


def test_slow_reader_who_goes_on_is_served(small_world: World) -> None:
    client = small_world.client(receive_buffer=4096)
    small_world.ask("/x", wire=client)
    end = small_world.session.accept()
    end.head()
    size = 6_000_000
    writer = threading.Thread(target=_send_all, args=(end, size))
    writer.start()
    client.head()
    for _ in range(30):
        client.skip(20_000)
        assert not client.silent(0.05)
    client.skip(size - 600_000)
    writer.join()


def test_stalled_websocket_is_left_alone(small_world: World) -> None:
    client, end = small_world.open_websocket()
    threading.Thread(target=_fill, args=(end,), daemon=True).start()
    small_world.until(lambda: small_world.plane.carried == 1)
    threading.Event().wait(1)
    assert small_world.plane.carried == 1
    assert client.exactly(3) == b"aaa"


def _fill(end: Wire) -> None:
    with suppress(OSError):
        end.send(b"a" * 50_000_000)


def test_handshakes_that_fail_leave_no_place_taken(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = tmp_path / "self-signed.pem"
    pem.write_bytes(self_signed.make(["localhost"]))
    context.load_cert_chain(pem)
    with running_world(tmp_path, replace(HASTY, max_per_address=4)) as world:
        world.listen_with(context)
        silent = [world.client() for _ in range(3)]
        wrong = world.client()
        wrong.send(b"GET / HTTP/1.1\r\n\r\n")
        wrong.to_end()
        silent[0].close()
        world.until(lambda: world.plane.connections == 0)
        trusting = ssl.create_default_context(cafile=str(pem))
        client = Wire(trusting.wrap_socket(world.client().sock, server_hostname="localhost"))
        client.send(request("/page"))
        assert client.answer()[0] == 200
        client.close()

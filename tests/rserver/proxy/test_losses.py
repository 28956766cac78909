"""What happens when a session, or a client, dies at any point."""

import asyncio
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from rserver.proxy.pool import check_peer
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Target
from tests.rserver.proxy.world import SID, UPGRADE, Wire, World, request, running_world

FOREIGN_UID = 65534
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"


def error_of(wire: Wire) -> tuple[int, int]:
    status, _, body = wire.answer()
    return status, json.loads(body)["error"]["code"]


def use_once(world: World) -> tuple[Wire, Wire]:
    """A client and its session connection, which is idle in the pool now."""
    client = world.ask("/ping")
    end = world.session.accept()
    end.head()
    end.send(OK)
    client.answer()
    return client, end


class TestRetry:
    def test_get_on_a_dying_pooled_connection_is_repeated(self, world: World) -> None:
        client, end = use_once(world)
        world.ask("/again", wire=client)
        assert end.head().startswith(b"GET /again ")
        end.close()
        fresh = world.session.accept()
        assert fresh.head().startswith(b"GET /again ")
        fresh.send(OK)
        assert client.answer()[2] == b"pong"
        assert world.events.count("failed") == 0

    def test_only_once(self, world: World) -> None:
        client, end = use_once(world)
        world.ask("/again", wire=client)
        end.head()
        end.close()
        fresh = world.session.accept()
        fresh.head()
        fresh.close()
        assert error_of(client) == (502, 200)
        assert world.session.nobody_comes()

    def test_on_a_fresh_connection_even_if_others_are_pooled(self, world: World) -> None:
        first, one = use_once(world)
        second = world.ask("/x")
        one.head()
        third = world.ask("/x")
        two = world.session.accept()
        two.head()
        for wire, end in ((second, one), (third, two)):
            end.send(OK)
            wire.answer()
        world.ask("/again", wire=first)
        two.head()
        two.close()
        fresh = world.session.accept()
        fresh.head()
        fresh.send(OK)
        assert first.answer()[0] == 200

    @pytest.mark.parametrize(("method", "body"), [("POST", b""), ("POST", b"x"), ("PUT", b""), ("GET", b"x")])
    def test_not_with_effects_or_body(self, world: World, method: str, body: bytes) -> None:
        client, end = use_once(world)
        world.ask("/again", method=method, body=body, wire=client)
        end.head()
        end.close()
        assert error_of(client) == (502, 200)
        assert world.session.nobody_comes()

    def test_not_after_the_first_byte(self, world: World) -> None:
        client, end = use_once(world)
        world.ask("/again", wire=client)
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npo")
        client.status_and_fields()
        end.close()
        assert client.to_end() == b"po"
        assert world.session.nobody_comes()


class TestSessionDies:
    def test_within_a_head(self, world: World) -> None:
        client = world.ask("/x", method="POST")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200")
        end.close()
        assert error_of(client) == (502, 200)

    def test_within_chunks(self, world: World) -> None:
        client = world.ask("/x")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.status_and_fields()
        client.exactly(8)
        end.close()
        assert client.to_end() == b""
        world.events.wait_for("disconnected")
        assert world.events.count("failed") == 1

    def test_a_half_answer_does_not_pass_for_a_whole_one_in_http_1_0(self, world: World) -> None:
        client = world.client()
        client.send(request(f"/s/{SID}/x", version="1.0"))
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        client.head()
        client.exactly(3)
        end.close()
        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)

    def test_while_the_request_body_is_sent(self, world: World) -> None:
        client = world.ask("/x", "Content-Length: 1000000", method="POST")
        client.send(b"a" * 1000)
        end = world.session.accept()
        end.head()
        end.exactly(1000)
        end.close()
        assert error_of(client) == (502, 200)

    @pytest.mark.parametrize(
        "answer",
        [
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000,
            b"HTTP/1.1 200 OK\nContent-Length: 1\n\n",
            b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        ],
    )
    def test_malformed_answer(self, world: World, answer: bytes) -> None:
        client = world.ask("/x", method="POST")
        end = world.session.accept()
        end.head()
        end.send(answer)
        assert error_of(client) == (502, 200)
        assert end.to_end() == b""

    def test_malformed_chunk(self, world: World) -> None:
        client = world.ask("/x")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.status_and_fields()
        end.send(b"0x3\r\n")
        assert client.to_end() == b""
        assert end.to_end() == b""

    @pytest.mark.parametrize("upgrade", [b"", b"Upgrade: h2c\r\n"])
    def test_switch_to_another_protocol(self, world: World, upgrade: bytes) -> None:
        client = world.ask("/events", *UPGRADE)
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n%b\r\n" % upgrade)
        assert error_of(client) == (502, 200)

    def test_browser_gets_a_page(self, world: World) -> None:
        client = world.ask("/help", "Sec-Fetch-Mode: navigate")
        world.session.close()
        status, _, body = client.answer()
        assert status == 502
        assert body.startswith(b"error page: ")


class TestUnreachable:
    def test_nobody_listens(self, world: World) -> None:
        world.session.close()
        client = world.ask("/rpc/x", method="POST", body=b"{}")
        assert error_of(client) == (502, 1)
        assert world.events.seen == [
            ("connected",),
            ("failed", "[Errno 111] Connection refused"),
            ("disconnected",),
        ]

    def test_no_socket(self, world: World) -> None:
        Path(world.session.path).unlink()
        assert error_of(world.ask("/x")) == (502, 1)

    @pytest.mark.root
    def test_foreign_peer(self, world: World) -> None:
        world.session.listen_as(FOREIGN_UID)
        assert error_of(world.ask("/x")) == (502, 1)
        assert world.events.seen[1] == ("failed", f"the socket belongs to uid {FOREIGN_UID}, not {os.getuid()}")
        world.gate.targets[SID] = Target(world.session.path, FOREIGN_UID)
        assert world.session.accept().to_end() == b""
        world.ask("/x")
        assert world.session.accept().head().startswith(b"GET /x ")

    def test_root_may_listen_for_everybody(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            check_peer(ours, os.getuid())
            if os.getuid() == 0:
                check_peer(ours, FOREIGN_UID)

    def test_session_that_closes_every_connection_at_once(self, world: World) -> None:
        closing = threading.Thread(target=world.session.close_all_comers)
        closing.start()
        codes = {error_of(world.ask("/x", method="POST"))[1] for _ in range(300)}
        world.session.stop_accepting()
        closing.join()
        assert codes <= {1, 200}

    def test_large_body_is_not_awaited(self, world: World) -> None:
        world.session.close()
        client = world.ask("/x", "Content-Length: 100000000", method="POST")
        assert error_of(client) == (502, 1)

    def test_full_backlog_is_waited_for(self, tmp_path: Path) -> None:
        with running_world(tmp_path, FrontSettings()) as world:
            world.session.shrink_backlog()
            waiting = [world.session.connect() for _ in range(2)]
            client = world.ask("/ping")
            for wire in waiting:
                wire.close()
            end = world.session.accept()
            while (head := end.head_or_nothing()) == b"":
                end = world.session.accept()
            assert head.startswith(b"GET /ping ")
            end.send(OK)
            assert client.answer()[0] == 200

    def test_full_backlog_is_given_up(self, hasty_world: World) -> None:
        hasty_world.session.shrink_backlog()
        waiting = [hasty_world.session.connect() for _ in range(2)]
        assert error_of(hasty_world.ask("/ping")) == (502, 1)
        for wire in waiting:
            wire.close()


class TestClientDies:
    @pytest.mark.parametrize("how", ["close", "reset", "half"])
    def test_long_poll_is_freed(self, world: World, how: str) -> None:
        client = world.ask("/rpc/get_events", method="POST", body=b"{}")
        end = world.session.accept()
        end.head()
        end.exactly(2)
        if how == "half":
            client.sock.shutdown(1)
            assert client.to_end() == b""
        else:
            getattr(client, how)()
        assert end.to_end() == b""
        world.until(lambda: world.plane.carried == world.plane.connections == 0)
        assert world.events.count("disconnected") == 1
        assert world.events.count("failed") == 0

    def test_within_a_head(self, world: World) -> None:
        client = world.client()
        client.send(b"GET / HT")
        world.until(lambda: world.plane.connections == 1)
        client.close()
        world.until(lambda: world.plane.connections == 0)

    def test_within_a_body(self, world: World) -> None:
        client = world.ask("/x", "Content-Length: 10", method="POST")
        client.send(b"abc")
        end = world.session.accept()
        end.head()
        client.close()
        assert end.to_end() == b"abc"

    def test_while_the_answer_comes(self, world: World) -> None:
        client = world.ask("/x")
        end = world.session.accept()
        end.head()
        end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 100_000)
        client.head()
        client.close()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            end.send(b"a" * 100_000_000)
        world.until(lambda: world.plane.carried == 0)

    def test_while_the_session_is_launched(self, world: World) -> None:
        cancelled = threading.Event()

        async def launch() -> Target:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return world.target

        world.gate.targets[SID] = launch
        client = world.ask("/x")
        world.until(lambda: world.plane.carried == 1)
        client.close()
        assert cancelled.wait(20)
        world.until(lambda: world.plane.carried == 0)
        assert world.events.seen == []


def test_body_waits_for_a_launch_in_bounded_memory(world: World) -> None:
    launched: list[asyncio.Event] = []

    async def launch() -> Target:
        launched.append(asyncio.Event())
        await launched[0].wait()
        return world.target

    world.gate.targets[SID] = launch
    size = 30_000_000
    client = world.ask("/upload", f"Content-Length: {size}", method="POST")
    writer = threading.Thread(target=client.send, args=(b"a" * size,))
    writer.start()
    world.until(lambda: bool(launched))
    assert writer.is_alive()
    world.call(launched[0].set)
    end = world.session.accept()
    end.head()
    end.skip(size)
    end.send(OK)
    assert client.answer()[0] == 200
    writer.join()


class TestOwnFaults:
    """Errors in gate and pages are logged and answered."""

    def test_pages(self, tmp_path: Path) -> None:
        async def broken(_: object) -> None:
            raise RuntimeError("boom")

        with running_world(tmp_path, FrontSettings(), expect_log=True) as world:
            world.pages.answers["/x"] = broken  # type: ignore[assignment]
            client = world.client()
            client.send(request("/x"))
            assert client.answer()[0] == 500
            assert "boom" in world.log[0]

    def test_launch(self, tmp_path: Path) -> None:
        async def broken() -> Target:
            raise RuntimeError("boom")

        with running_world(tmp_path, FrontSettings(), expect_log=True) as world:
            world.gate.targets[SID] = broken
            assert error_of(world.ask("/x")) == (500, 11)
            assert "boom" in world.log[0]

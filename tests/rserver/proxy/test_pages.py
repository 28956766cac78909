"""Requests that the worker answers itself, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from rserver.web.request import PAGE_BODY_LIMIT, Request, Response
from rserver.web.responses import html, plain
from tests.rserver.proxy.world import COOKIE, SID, World, request, running_world


def test_page(world: World) -> None:
    client = world.client()
    client.send(request("/home?x=1"))
    status, fields, body = client.answer()
    assert (status, body) == (200, b"GET /home alice 0")
    assert fields["x-content-type-options"] == "nosniff"


def test_what_a_page_is_told(world: World) -> None:
    seen: list[Request] = []

    async def page(asked: Request) -> Response:
        seen.append(asked)
        return html("")

    world.pages.answers["/form"] = page
    client = world.client()
    client.send(
        request("/form?a=%20b", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", method="POST", body=b"c")
    )
    client.answer()
    asked = seen[0]
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/form", "a=%20b", b"c")
    assert asked.cookies == {"user-id": "alice", "rs-csrf-token": "abc"}
    assert asked.head.remote == ("127.0.0.1", client.sock.getsockname()[1])
    assert (asked.head.secure, asked.head.host, asked.head.root_path) == (False, "here", "")


def test_trusted_proxy_tells_about_the_browser(tmp_path: Path) -> None:
    settings = FrontSettings(root_path="/r", trusted_proxies=TrustedProxies(["127.0.0.1"]))
    with running_world(tmp_path, settings) as world:
        seen: list[Request] = []

        async def page(asked: Request) -> Response:
            seen.append(asked)
            return html("")

        world.pages.answers["/x"] = page
        client = world.client()
        forwarded = ("X-Forwarded-For: 6.6.6.6, 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: outside")
        client.send(request("/r/x", *forwarded))
        client.answer()
        assert seen[0].head.remote[0] == "1.2.3.4"
        assert (seen[0].head.secure, seen[0].head.host, seen[0].head.target) == (True, "outside", "/r/x")
        client.send(request("/r/x", "X-Forwarded-For: nonsense"))
        client.answer()
        assert seen[1].head.remote[0] == "127.0.0.1"


def test_root_path_is_put_before_what_the_front_says_itself(tmp_path: Path) -> None:
    with running_world(tmp_path, FrontSettings(root_path="/r")) as world:
        client = world.client()
        client.send(request(f"/r/s/{SID}"))
        assert client.answer()[1]["location"] == f"/r/s/{SID}/"
        client.send(request(f"/r/s/{SID}/").replace(COOKIE.encode(), b"A: b"))
        assert client.answer()[1]["location"] == f"/r/auth-sign-in?appUri=/r/s/{SID}/"
        client.send(request(f"/r/s/{SID}/x"))
        assert f"X-RS-Base-Path: /r/s/{SID}/\r\n".encode() in world.session.accept().head()


@pytest.mark.parametrize("framing", ["Content-Length: 65537", "Transfer-Encoding: chunked"])
def test_large_bodies_are_refused(world: World, framing: str) -> None:
    client = world.client()
    client.send(request("/x", framing, method="POST"))
    if "chunked" in framing:
        client.send(b"10001\r\n" + b"a" * (PAGE_BODY_LIMIT + 1) + b"\r\n")
    assert client.answer()[0] == 413
    assert client.to_end() == b""


def test_body_up_to_the_limit(world: World) -> None:
    client = world.client()
    client.send(request("/x", method="POST", body=b"a" * PAGE_BODY_LIMIT))
    assert client.answer()[2] == b"POST /x alice 65536"


def test_body_after_continue(world: World) -> None:
    client = world.client()
    client.send(request("/x", "Expect: 100-continue", "Content-Length: 3", method="POST"))
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abc")
    assert client.answer()[2] == b"POST /x alice 3"


def test_slow_page_delays_nobody_and_outlives_its_client(world: World) -> None:
    ready: list[asyncio.Event] = []
    ended: list[bool] = []

    async def slow(_: Request) -> Response:
        ready.append(asyncio.Event())
        await ready[0].wait()
        ended.append(True)
        return plain("late")

    world.pages.answers["/slow"] = slow
    client, other = world.client(), world.client()
    client.send(request("/slow"))
    world.until(lambda: bool(ready))
    other.send(request("/quick"))
    assert other.answer()[0] == 200
    client.close()
    world.until(lambda: world.plane.connections == 1)
    world.call(ready[0].set)
    world.until(lambda: bool(ended))


def test_header_injection_by_a_page_is_an_error(tmp_path: Path) -> None:
    async def bad(_: Request) -> Response:
        return Response(headers=(("A", "b\r\nC: d"),))

    with running_world(tmp_path, FrontSettings(), expect_log=True) as world:
        world.pages.answers["/x"] = bad
        client = world.client()
        client.send(request("/x"))
        assert client.answer()[0] == 500
        assert "not fit for a header" in world.log[0]


def test_static_file(world: World) -> None:
    (world.folder / "static").mkdir()
    (world.folder / "static" / "a.css").write_text("x{}")
    client = world.client()
    client.send(b"GET /static/a.css HTTP/1.1\r\nHost: here\r\n\r\nHEAD /static/a.css HTTP/1.1\r\nHost: here\r\n\r\n")
    assert client.answer()[2] == b"x{}"
    assert client.status_and_fields()[1]["content-length"] == "3"

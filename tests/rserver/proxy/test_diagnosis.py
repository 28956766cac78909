"""Requests of `rstudio-server diagnose` at the front."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.diagnosis import MOST_AT_ONCE
from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from tests.rserver.proxy.world import World, running_world


@pytest.fixture
def told(tmp_path: Path) -> Iterator[World]:
    settings = FrontSettings(root_path="/r", trusted_proxies=TrustedProxies(["127.0.0.1"]))
    with running_world(tmp_path, settings) as running:
        yield running


def request(probe: str, path: str = "/r/rs-diagnose/x", *lines: str, method: str = "GET") -> bytes:
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\nX-RS-Diagnose: {probe}\r\n{fields}\r\n".encode()


@pytest.mark.parametrize("path", ["/r/rs-diagnose/x", "/elsewhere?a=%2F", "/r/r/x", "/s/none/", "//x"])
def test_what_arrived_is_told_whatever_the_path(told: World, path: str) -> None:
    wire = told.client()
    wire.send(request("good echo", path, "X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"))
    status, _, body = wire.answer()
    arrived = json.loads(body)
    assert status == 200
    assert arrived["target"] == path
    assert arrived["trusted"]
    assert arrived["seen"] == {"address": "192.0.2.9", "secure": True, "host": "here", "root_path": "/r"}
    assert "good" not in body.decode()


@pytest.mark.parametrize("token", ["", "bad", "goo", "good\techo"])
def test_without_the_token_it_is_a_page_as_any(told: World, token: str) -> None:
    wire = told.client()
    wire.send(request(f"{token} echo", "/r/health-check"))
    assert b"www_root_path" not in wire.answer()[2]


def test_events_come_one_by_one(told: World) -> None:
    wire = told.client()
    wire.send(request("good stream"))
    status, fields = wire.status_and_fields()
    assert (status, fields["content-type"], fields["transfer-encoding"]) == (200, "text/event-stream", "chunked")
    assert wire.exactly(4).strip().isalnum()
    assert wire.to_end().count(b"data: ") == 8


def test_few_at_once(told: World) -> None:
    wires = [told.client() for _ in range(MOST_AT_ONCE)]
    for wire in wires:
        wire.send(request("good stream"))
        wire.head()
    one_more = told.client()
    one_more.send(request("good echo"))
    assert b"www_root_path" not in one_more.answer()[2]


def test_a_body_is_not_waited_for(told: World) -> None:
    wire = told.client()
    wire.send(request("good echo", "/r/x", "Content-Length: 99999999", "Expect: 100-continue", method="POST"))
    assert wire.answer()[0] == 200


def test_websockets_are_echoed_and_large_frames_end_them(told: World) -> None:
    wire = told.client()
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    wire.send(request("good upgrade", "/r/x", *lines) + b"\x81\x82\x01\x02\x03\x04")
    head = wire.head()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    wire.send(bytes((ord("a") ^ 1, ord("b") ^ 2)))
    assert wire.exactly(4) == b"\x81\x02ab"
    wire.send(b"\x81\xfe\x01\x00" + b"\0" * 300)
    assert wire.to_end() == b""


def test_a_handshake_that_lost_its_upgrade_is_told_as_that(told: World) -> None:
    wire = told.client()
    wire.send(request("good upgrade", "/r/x", "Connection: close"))
    assert wire.answer()[0] == 426

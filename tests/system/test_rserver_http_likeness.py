"""What nginx of our own answers by itself is what the worker would answer."""

import contextlib
import shutil
import socket
from collections.abc import Iterator

import pytest

from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)"),
]


@pytest.fixture(scope="module", params=["0", "1"], ids=["worker alone", "nginx in front"])
def fronted(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with running_server(server_http=request.param) as running:
        yield running


@pytest.mark.parametrize("path", ["/ide/index.html", "/static/pages.css"])
def test_every_file_has_a_strong_tag_for_each_form(fronted: RunningServer, path: str) -> None:
    visitor = Visitor(fronted.port)
    packed, plain = (visitor.get(path, {"Accept-Encoding": coding}) for coding in ("gzip", "identity"))
    assert (packed.headers["Content-Encoding"], plain.headers["Content-Encoding"]) == ("gzip", None)
    tags = {packed.headers["ETag"], plain.headers["ETag"]}
    assert len(tags) == 2
    assert not any(tag.startswith("W/") for tag in tags)
    part = visitor.get(path, {"Range": "bytes=2-5", "If-Range": plain.headers["ETag"], "Accept-Encoding": "identity"})
    assert (part.status, part.body) == (206, plain.body[2:6])


@pytest.mark.parametrize(
    ("target", "cookie", "status", "says"),
    [
        ("/auth-sign-in", 31 << 10, 200, b"<!doctype html>"),
        ("/auth-sign-in", 32 << 10, 431, b"the head is larger than 32 KiB\n"),
        ("/auth-sign-in", 40 << 10, 431, b"the head is larger than 32 KiB\n"),
        ("/" + "a" * (8 << 10), 1, 414, b"the address is longer than 8 KiB\n"),
        ("/" + "a" * (40 << 10), 1, 414, b"the address is longer than 8 KiB\n"),
    ],
)
def test_limits_of_heads_are_those_without_nginx(
    fronted: RunningServer, target: str, cookie: int, status: int, says: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", fronted.port), 20) as client:
        head = f"GET {target} HTTP/1.1\r\nHost: here\r\nCookie: a={'b' * cookie}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.partition(b"\r\n\r\n")[2].lower().startswith(says.lower())

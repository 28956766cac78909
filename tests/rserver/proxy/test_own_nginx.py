"""What the nginx in front says of the browser, and that nobody else can say it."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver.proxy.own_nginx import peer_of_nginx
from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from rserver.web.request import Request, Response
from rserver.web.responses import plain
from tests.rserver.proxy.world import SID, Wire, World, request, running_world

SETTINGS = FrontSettings(trusted_proxies=TrustedProxies(["10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("said", "peer"),
    [
        ("203.0.113.5 4711 http", ("203.0.113.5", 4711, False)),
        ("2001:db8::5 1 https", ("2001:db8::5", 1, True)),
        ("::ffff:203.0.113.5 4711 https", ("203.0.113.5", 4711, True)),
        ("", ("", 0, False)),
        ("203.0.113.5", ("", 0, False)),
        ("203.0.113.5 4711 https, 1.1.1.1 1 https", ("", 0, False)),
        ("own nginx 0 https", ("", 0, False)),
        ("203.0.113.5 123456 https", ("", 0, False)),
    ],
)
def test_who_connected_to_nginx(said: str, peer: tuple[str, int, bool]) -> None:
    assert peer_of_nginx({"x-rs-peer": said}) == peer


@pytest.fixture
def world() -> Iterator[World]:
    """It listens on a Unix socket besides, and answers /me with what it knows of the browser."""
    with tempfile.TemporaryDirectory() as name, running_world(Path(name), SETTINGS) as running:
        # Only what the server itself looks at keeps others away here.
        folder = Path(name)
        folder.chmod(0o755)
        running.pages.answers["/me"] = told
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "worker.sock"))
        (folder / "worker.sock").chmod(0o666)
        running.run(running.plane.listen(listener))
        yield running


async def told(request: Request) -> Response:
    head = request.head
    return plain(f"{head.remote[0]} {head.remote[1]} {head.secure} {head.host}")


def ask(where: socket.socket, *fields: str) -> str:
    lines = "".join(f"{field}\r\n" for field in fields)
    with where:
        where.sendall(f"GET /me HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{lines}\r\n".encode())
        text = b""
        while data := where.recv(65536):
            text += data
    return text.partition(b"\r\n\r\n")[2].decode()


def by_unix(world: World) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(world.folder / "worker.sock"))
    return sock


def test_nginx_is_believed_and_named_proxies_behind_it_too(world: World) -> None:
    assert ask(by_unix(world), "X-RS-Peer: 203.0.113.5 99 https") == "203.0.113.5 99 True here"
    forwarded = ("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: outside")
    assert ask(by_unix(world), "X-RS-Peer: 203.0.113.5 99 http", *forwarded) == "203.0.113.5 99 False here"
    assert ask(by_unix(world), "X-RS-Peer: 10.1.2.3 99 http", *forwarded) == "198.51.100.7 99 True outside"


def test_each_request_of_a_connection_is_told_of_its_own_visitor(world: World) -> None:
    """Also when what was decided on one is kept for those that are like it."""
    with by_unix(world) as sock:
        wire = Wire(sock)
        end = None
        for peer in ("203.0.113.5 1 http", "203.0.113.5 1 http", "198.51.100.7 1 https", "203.0.113.5 1 http"):
            wire.send(request(f"/s/{SID}/x", f"X-RS-Peer: {peer}"))
            end = end or world.session.accept()
            head = end.head().lower()
            address, _, scheme = peer.split()
            assert f"x-forwarded-for: {address}\r\nx-forwarded-proto: {scheme}\r\n".encode() in head
            assert b"x-rs-peer" not in head
            end.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            assert wire.answer()[2] == b"ok"


def test_over_tcp_the_field_says_nothing(world: World) -> None:
    said = ask(socket.create_connection(world.address), "X-RS-Peer: 203.0.113.5 99 https")
    assert said.startswith("127.0.0.1 ")
    assert "False" in said


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_other_accounts_are_hung_up_on(world: World) -> None:
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        "s.send(b'GET /me HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n'); print(s.recv(65536))"
    )
    argv = ["/usr/bin/python3", "-c", code, str(world.folder / "worker.sock")]
    for uid, answered in ((65534, False), (0, True)):
        done = subprocess.run(argv, user=uid, group=uid, extra_groups=[], capture_output=True, cwd="/")
        assert (b"200 OK" in done.stdout) is answered, done
        assert b"PermissionError" not in done.stderr

"""Whoever answers at the address may answer anything."""

import socket
import threading
from collections.abc import Iterator

import pytest

from rserver_diagnose.address import Address
from rserver_diagnose.diagnosis import diagnosed

ANSWERS = {
    "nothing": b"",
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "escape sequences": b"HTTP/1.1 200 OK\r\nServer: \x1b[2Jevil\r\nContent-Length: 2\r\n\r\nhi",
    "array": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "half an object": b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"www_root_path": null}',
    "types": b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"www_root_path":1,"target":[],"fields":3,"seen":{},"a":1}',
    "redirect nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (1 << 20),
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.fixture(params=list(ANSWERS.values()), ids=list(ANSWERS))
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of somebody who says that to everybody."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(request.param)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def test_a_report_comes_all_the_same(answering: int) -> None:
    report = diagnosed(Address("http", "127.0.0.1", answering), "token", silence_seconds=1)
    assert not report.is_good
    assert "\x1b" not in report.text()


def test_tls_with_somebody_who_speaks_none(answering: int) -> None:
    report = diagnosed(Address("https", "127.0.0.1", answering), "token", silence_seconds=1)
    assert {finding.fault.code for finding in report.findings} <= {"not-tls", "unreachable"}
    assert not report.is_good


@pytest.mark.parametrize(
    ("host", "connect", "says"),
    [
        ("r.example.org", None, "nobody listens at port {port} of 127.0.0.1: the connection was refused"),
        (
            "no-such-name.invalid",
            ("no-such-name.invalid", 80),
            "this machine does not know the name no-such-name.invalid",
        ),
    ],
)
def test_what_is_not_reached_is_said_in_words(host: str, connect: tuple[str, int] | None, says: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        report = diagnosed(Address("http", host, 80, connect=connect or ("127.0.0.1", port)), "token")
    assert says.format(port=port) in report.text()
    assert "proxy)" not in report.text()
    assert "Errno" not in report.text()

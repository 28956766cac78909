"""Hostile and broken requests to a real session."""

import json
import os
import pwd
import subprocess

import pytest

from tests.rsession.running import EventStream, RunningSession, connect, evaluate

pytestmark = pytest.mark.r


def answer_to(session: RunningSession, data: bytes) -> bytes:
    """Everything the session answers to bytes, until it closes or says nothing for a while."""
    with connect(session.socket_path) as peer:
        peer.sendall(data)
        answer = b""
        while True:
            piece = peer.recv(65536)
            answer += piece
            if not piece or b"\r\n\r\n" in answer:
                return answer


def status(answer: bytes) -> bytes:
    return answer.split(b" ", 2)[1]


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /rpc/x HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n", b"413"),
        (b"POST /rpc/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /rpc/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (b"POST /rpc/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"DELETE /ping HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"GET /rpc/client_init HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"GET /ping HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", b"400"),
    ],
)
def test_requests_are_answered(session: RunningSession, request_bytes: bytes, expected: bytes | None) -> None:
    if expected is None:
        with connect(session.socket_path) as peer:
            peer.sendall(request_bytes)
    else:
        assert status(answer_to(session, request_bytes)) == expected
    assert session.http("GET", "/ping").read() == b"pong"


def test_pipelined_requests_are_answered_in_order(session: RunningSession) -> None:
    with connect(session.socket_path) as peer:
        peer.sendall(
            b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
    assert answer.count(b"pong") == 3
    assert answer.count(b"HTTP/1.1 404") == 1


def test_a_large_body_is_read(session: RunningSession) -> None:
    body = json.dumps({"method": "console_input", "params": ["x" * (17 << 20)], "clientId": session.init()["clientId"]})
    answer = json.loads(session.http("POST", "/rpc/console_input", body.encode()).read())
    assert answer["error"]["code"] == 10


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 5),
        (b"{", 5),
        (b"[" * 100_000, 5),
        (b'{"params":[NaN]}', 5),
        (b"\xff\xfe", 5),
        (b"[]", 6),
        (b'{"method":"interrupt"}', 6),
        (b'{"params":{}}', 4),
        (b'{"clientId":"nobody"}', 4),
        (b'{"clientId":7}', 4),
    ],
)
def test_bodies_that_are_no_request(session: RunningSession, body: bytes, code: int) -> None:
    answer = json.loads(session.http("POST", "/rpc/console_input", body).read())
    assert answer["error"]["code"] == code


@pytest.mark.parametrize(
    ("params", "kwparams", "code"),
    [
        ([], {}, 8),
        ([1], {}, 9),
        (["1", "", True], {}, 9),
        (["1", "", 0, 0], {}, 10),
        (["1"], {"text": "2"}, 10),
        (["1"], {"flags": 5}, 10),
        (["\ud800"], {}, 10),
    ],
)
def test_parameters_are_checked(
    session: RunningSession, params: list[object], kwparams: dict[str, object], code: int
) -> None:
    session.init()
    assert session.rpc("console_input", *params, **kwparams)["error"]["code"] == code


def test_an_unknown_method_is_named(session: RunningSession) -> None:
    assert session.rpc("no_such_method")["error"] == {"code": 7, "message": "there is no method no_such_method"}


def test_too_many_connections_are_told_so_and_do_not_disturb_r(session: RunningSession, stream: EventStream) -> None:
    peers = [connect(session.socket_path) for _ in range(1280)]
    try:
        answer = answer_to(session, b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(answer) == b"503"
        assert (
            evaluate(session, stream, "readLines(textConnection('R has descriptors'))") == '[1] "R has descriptors"\n'
        )
        evaluate(session, stream, "Sys.sleep(0.01)")
    finally:
        for peer in peers:
            peer.close()


@pytest.mark.root
def test_other_users_are_turned_away() -> None:
    nobody = pwd.getpwnam("nobody")
    with RunningSession([f"--server-uid={nobody.pw_uid + 1}"]) as session:
        assert session.http("GET", "/ping").read() == b"pong"
        os.chmod(session.folder, 0o755)
        code = (
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(b'GET /ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(99))"
        )
        command = ["/usr/bin/python3", "-c", code, session.socket_path]
        found = subprocess.run(command, user="nobody", capture_output=True, text=True, cwd="/", env={}, check=False)
        assert "pong" not in found.stdout


@pytest.mark.root
def test_the_server_s_user_is_let_in() -> None:
    nobody = pwd.getpwnam("nobody")
    with RunningSession([f"--server-uid={nobody.pw_uid}"]) as session:
        session.http("GET", "/ping").read()
        os.chmod(session.folder, 0o755)
        code = (
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(b'GET /ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(999))"
        )
        command = ["/usr/bin/python3", "-c", code, session.socket_path]
        found = subprocess.run(command, user="nobody", capture_output=True, text=True, cwd="/", env={}, check=True)
        assert "pong" in found.stdout


def test_the_socket_keeps_its_access_rights(session: RunningSession) -> None:
    assert os.stat(session.socket_path).st_mode & 0o777 == 0o660

"""What answers on a session's socket may be anything that its user likes."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rserver_admin.session_activity import activities
from rserver_admin.session_call import NoAnswer, SessionError, call
from rserver_core.launch_wire import SessionRecord
from tests.rserver.doubles import record


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextmanager
def session(tmp_path: Path, act: Callable[[socket.socket], object]) -> Iterator[SessionRecord]:
    """The record of a session that does that with whoever connects."""
    path = str(tmp_path / "s.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(4)
        serving = threading.Thread(target=_serve, args=(listener, act), daemon=True)
        serving.start()
        yield replace(record("0123456789abcdef01234", uid=os.getuid()), socket=path)
    serving.join(10)


def _serve(listener: socket.socket, act: Callable[[socket.socket], object]) -> None:
    with suppress(OSError):  # who is asked nothing is not even called
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            act(peer)


def test_a_result(tmp_path: Path) -> None:
    with session(tmp_path, lambda peer: peer.sendall(answer(b'{"result": {"suspended": true}}'))) as made:
        assert call(made, "suspend_session", (False,), 5) == {"suspended": True}


def test_an_error_is_the_sessions_sentence(tmp_path: Path) -> None:
    said = answer(b'{"error": {"code": 1003, "message": "The disk is full."}}')
    with session(tmp_path, lambda peer: peer.sendall(said)) as made, pytest.raises(SessionError, match="disk is full"):
        call(made, "suspend_session", (), 5)


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"result": 5}', b"[" * 100_000, b"\xff"])
def test_nonsense(tmp_path: Path, body: bytes) -> None:
    with session(tmp_path, lambda peer: peer.sendall(answer(body))) as made, pytest.raises(NoAnswer):
        call(made, "get_status", (), 5)


def test_an_answer_that_ends_early(tmp_path: Path) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
    with session(tmp_path, lambda peer: peer.sendall(said)) as made, pytest.raises(NoAnswer, match="closed"):
        call(made, "get_status", (), 5)


def test_an_answer_without_end(tmp_path: Path) -> None:
    def flood(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"x" * 65536)

    with session(tmp_path, flood) as made, pytest.raises(NoAnswer, match="without end"):
        call(made, "get_status", (), 5)


def test_who_drips_gets_no_more_time_than_who_is_silent(tmp_path: Path) -> None:
    def drip(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"x")
            time.sleep(0.05)

    begun = time.monotonic()
    with session(tmp_path, drip) as made, pytest.raises(NoAnswer, match="in time"):
        call(made, "get_status", (), 0.5)
    assert time.monotonic() - begun < 3


def test_somebody_else_who_listens_is_asked_nothing(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with session(tmp_path, lambda peer: heard.append(b"asked")) as made, pytest.raises(NoAnswer, match="not listen"):
        call(replace(made, uid=os.getuid() + 1), "get_status", (), 5)


def test_nobody_listens(tmp_path: Path) -> None:
    gone = replace(record("0123456789abcdef01234", uid=os.getuid()), socket=str(tmp_path / "none"))
    assert activities([gone]) == [None]


@pytest.mark.parametrize(
    "result",
    [b"{}", b'{"idle": "x", "busy": true, "blockers": [], "timeouts": {}}', b'{"idle": 1, "blockers": 5}'],
)
def test_a_status_of_another_shape_is_none(tmp_path: Path, result: bytes) -> None:
    with session(tmp_path, lambda peer: peer.sendall(answer(b'{"result": %b}' % result))) as made:
        assert activities([made]) == [None]


def test_what_a_user_says_cannot_command_a_terminal(tmp_path: Path) -> None:
    said = (
        b'{"result": {"idle": 61.5, "busy": false, "blockers": [{"kind": "connections", "reason": "a\\u001b[2Jb"}], '
        b'"timeouts": {"phase": "warned", "action": "suspend", "seconds": 30}}}'
    )
    with session(tmp_path, lambda peer: peer.sendall(answer(said))) as made:
        (found,) = activities([made])
    assert found is not None
    assert found.blockers == (("connections", "a?[2Jb"),)
    assert (found.idle, found.ends, found.ends_in) == (61.5, "suspend", 30)

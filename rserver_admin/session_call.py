"""Asks a session's own socket; what answers belongs to a user, so every answer is bounded and checked."""

import json
import re
import socket
import time
from collections.abc import Sequence
from typing import Any

from rserver_core import peer_credentials
from rserver_core.launch_wire import SessionRecord

_MOST_BYTES = 1 << 18
_LENGTH = re.compile(rb"^content-length: ?([0-9]{1,9})\r?$", re.IGNORECASE | re.MULTILINE)
CONNECT_SECONDS = 3.0


class NoAnswer(Exception):
    """The session cannot be reached, does not answer in time, or answers something else; the text says what."""


class SessionError(Exception):
    """The session answered that it cannot do that; the text is its sentence."""


def call(record: SessionRecord, method: str, params: Sequence[object], seconds: float) -> dict[str, Any]:
    """The result of a method of the session; NoAnswer or SessionError."""
    try:
        answer = json.loads(_post(record, method, params, seconds))
    except TimeoutError:
        raise NoAnswer("it does not answer in time") from None
    except (OSError, ValueError, RecursionError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from None
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        raise SessionError(str(answer["error"].get("message"))[:1000])
    if not isinstance(answer, dict) or not isinstance(answer.get("result"), dict):
        raise NoAnswer("it answered something else")
    result: dict[str, Any] = answer["result"]
    return result


def _post(record: SessionRecord, method: str, params: Sequence[object], seconds: float) -> bytes:
    """The body of the answer. Who drips its answer byte by byte gets no more time than who says nothing."""
    body = json.dumps({"method": method, "params": list(params)}).encode()
    head = (
        f"POST /rpc/{method} HTTP/1.1\r\nHost: session\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with _connected(record) as connection:
        connection.sendall(head.encode() + body)
        return _answer(connection, time.monotonic() + seconds)


def _connected(record: SessionRecord) -> socket.socket:
    """To the session, and to nobody else who may listen there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(record.socket)
        # Before the session listens its keeper does, which is root's.
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE)
        if peer_credentials.uid_of(credentials) != record.uid:
            raise ConnectionError("it does not listen yet")
    except BaseException:
        connection.close()
        raise
    return connection


def _answer(connection: socket.socket, deadline: float) -> bytes:
    read = b""
    while (body := _body(read)) is None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(1 << 16)
        if not piece or len(read) > _MOST_BYTES:
            raise ConnectionError("it closed the connection" if not piece else "it answered without end")
        read += piece
    return body


def _body(read: bytes) -> bytes | None:
    """The body as soon as all of it was read."""
    head, end, body = read.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return body if end and length is not None and len(body) >= int(length[1]) else None

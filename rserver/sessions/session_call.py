"""Asks a method of a session's socket, as the server itself and not for a client."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

from rserver.sessions.probe import NoAnswer, peer_uid
from rserver_core.launch_wire import SessionRecord

_MOST_BYTES = 1 << 18


async def call_session(
    loop: asyncio.AbstractEventLoop, record: SessionRecord, method: str, params: Sequence[object] = ()
) -> Any:
    """The JSON of its answer; fails with OSError."""
    answered: asyncio.Future[bytes] = loop.create_future()
    request = _request(method, params)
    transport, _ = await loop.create_unix_connection(lambda: _Call(record.uid, request, answered), record.socket)
    try:
        return _json_of(await answered)
    finally:
        transport.abort()


def _request(method: str, params: Sequence[object]) -> bytes:
    body = json.dumps({"method": method, "params": list(params)}).encode()
    return (
        b"POST /rpc/%b HTTP/1.1\r\nHost: session\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (method.encode(), len(body), body)
    )


def _json_of(answer: bytes) -> Any:
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer(f"answered {head[:40]!r}") from None


class _Call(asyncio.Protocol):
    def __init__(self, uid: int, request: bytes, answered: "asyncio.Future[bytes]") -> None:
        self._uid, self._request, self._answered, self._read = uid, request, answered, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        if peer_uid(transport.get_extra_info("socket")) in {self._uid, 0}:
            transport.write(self._request)
        else:
            self._fail("somebody else listens there")

    def data_received(self, data: bytes) -> None:
        self._read += data
        if len(self._read) > _MOST_BYTES:
            self._fail("answered without end")
        elif _is_whole(self._read) and not self._answered.done():
            self._answered.set_result(self._read)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("closed the connection")

    def _fail(self, why: str) -> None:
        if not self._answered.done():
            self._answered.set_exception(NoAnswer(why))


def _is_whole(read: bytes) -> bool:
    head, end, body = read.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return bool(end) and value.strip().isdigit() and len(body) >= int(value)
    return False

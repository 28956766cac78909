"""Asks a session's socket to suspend the session, so that it can say what stands against it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from twisted.internet.defer import Deferred

from rserver.sessions.probe import NoAnswer, peer_uid
from rserver_core.launch_wire import SessionRecord

_MOST_BYTES = 1 << 18
_MOST_REASONS, _MOST_CHARACTERS = 10, 500


@dataclass(frozen=True, slots=True)
class SuspendAnswer:
    """suspended: the process ends in a moment; otherwise it goes on, for these reasons (sentences)."""

    suspended: bool
    reasons: tuple[str, ...] = ()


class SocketSuspend:
    """loop: where connections are made."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop

    def __call__(self, record: SessionRecord, force: bool) -> "Deferred[SuspendAnswer]":
        """Fires with the session's answer, which comes when everything is written; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._ask(record, force), loop=self._loop()))

    async def _ask(self, record: SessionRecord, force: bool) -> SuspendAnswer:
        loop = self._loop()
        answered: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_unix_connection(lambda: _Call(record.uid, force, answered), record.socket)
        try:
            return read_answer(await answered)
        finally:
            transport.abort()


def read_answer(answer: bytes) -> SuspendAnswer:
    """From the whole HTTP answer; NoAnswer when it is none to this question."""
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        value = json.loads(body)
        if "error" in value:
            return SuspendAnswer(False, _sentences([value["error"]["message"]]))
        result = value["result"]
        reasons = [blocker["reason"] for blocker in result["blockers"]]
        return SuspendAnswer(result["suspended"] is True, _sentences(reasons))
    except (ValueError, LookupError, TypeError):
        raise NoAnswer(f"answered {head[:40]!r}") from None


def _sentences(reasons: list[object]) -> tuple[str, ...]:
    return tuple(str(reason)[:_MOST_CHARACTERS] for reason in reasons[:_MOST_REASONS])


class _Call(asyncio.Protocol):
    def __init__(self, uid: int, force: bool, answered: "asyncio.Future[bytes]") -> None:
        self._uid, self._answered, self._read = uid, answered, b""
        body = json.dumps({"method": "suspend_session", "params": [force]}).encode()
        self._request = (
            b"POST /rpc/suspend_session HTTP/1.1\r\nHost: session\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )

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

"""Control's end: data workers connect to a Unix socket, ask, report, and are told what holds no longer."""

import asyncio
import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from twisted.logger import Logger

from rserver.proxy.router import collab_host
from rserver.web.request import Authentication, Gate, Pages, Request, RequestHead, Response, SessionEvents, Target
from rserver.workers import wire
from rserver_core import peer_credentials

MOST_QUESTIONS = 4096
"""That one data worker may have open; more break its connection."""
HEARD_SECONDS = 2.0

_log = Logger()


class InUse(Protocol):
    """Where it is counted what other workers carry."""

    def carried_elsewhere(self, session_id: str, more: int) -> None:
        """So many requests and WebSockets more, or less, are carried to this session; 0: it was used and is not now."""


@dataclass(slots=True)
class Answers:
    """Who answers what data workers ask. targets: the present one of a session, or None; stamps: see Revocations."""

    gate: Gate
    pages: Pages
    events: SessionEvents
    in_use: InUse
    target: Callable[[str], Target | None]
    stamps: Callable[[], Mapping[str, int]]


@dataclass(slots=True)
class DataWorkers:
    """All that are connected. Made and used on the loop's thread."""

    loop: asyncio.AbstractEventLoop
    answers: Answers
    _links: "set[_Link]" = field(default_factory=set)
    _orders: int = 0
    _is_looking: bool = False
    _server: asyncio.AbstractServer | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Take connections; what was asked before waits in the backlog."""
        self._server = await self.loop.create_unix_server(lambda: _Link(self), sock=sock)

    def close(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.hang_up()

    def __len__(self) -> int:
        return len(self._links)

    # What control tells all of them.

    def void(self, user: str, stamp: int) -> None:
        """Cookies of user issued up to stamp are void."""
        self._order(lambda order: wire.Void(order, user, stamp))

    def close_user(self, user: str) -> None:
        """Break off what is carried for user."""
        self._order(lambda order: wire.CloseUser(order, user))

    def close_session(self, session_id: str) -> None:
        """The session has ended."""
        for link in self._links:
            link.told.pop(session_id, None)
            link.send(wire.Forget((session_id,), True))

    def close_join(self, session_id: str, host_id: str) -> None:
        """A session may not edit the texts of another one any more."""
        for link in self._links:
            link.send(wire.CloseJoin(session_id, host_id))

    def changed(self) -> None:
        """Some session is not what it was: look which in a moment, once for all that happens until then."""
        if not self._is_looking and self._links:
            self._is_looking = True
            self.loop.call_soon(self._look)

    async def heard(self) -> None:
        """All have carried out all orders. Who does not within seconds is cut off: it asks anew when it can."""
        order = self._orders
        waiting = {link: link.when_heard(order) for link in self._links if not link.has_heard(order)}
        if not waiting:
            return
        await asyncio.wait(waiting.values(), timeout=HEARD_SECONDS)
        for link, heard in waiting.items():
            if not heard.done():
                _log.error("data worker {pid} does not hear: cut off", pid=link.pid)
                link.hang_up()

    def listeners(self) -> Mapping[str, int]:
        """Event streams that data workers carry, by session."""
        found: Counter[str] = Counter()
        for link in self._links:
            found.update(link.listeners)
        return found

    def _order(self, make: Callable[[int], wire.ToData]) -> None:
        self._orders += 1
        for link in self._links:
            link.send(make(self._orders))

    def _look(self) -> None:
        self._is_looking = False
        for link in self._links:
            old = tuple(each for each, told in link.told.items() if self.answers.target(each) is not told)
            for session_id in old:
                del link.told[session_id]
            if old:
                link.send(wire.Forget(old, False))

    # What links tell.

    def opened(self, link: "_Link") -> None:
        """A data worker is there."""
        self._links.add(link)
        link.send(wire.Begin(wire.VERSION, dict(self.answers.stamps())))

    def closed(self, link: "_Link") -> None:
        """It is gone, and what it carried with it."""
        self._links.discard(link)
        for session_id, count in link.carried.items():
            self.answers.in_use.carried_elsewhere(session_id, -count)


class _Link(asyncio.Protocol):
    """One data worker. told: targets that it was given; carried, listeners: what it last said that it carries."""

    def __init__(self, workers: DataWorkers) -> None:
        self.told: dict[str, Target] = {}
        self.carried: dict[str, int] = {}
        self.listeners: dict[str, int] = {}
        self.pid = 0
        self._workers, self._answers = workers, workers.answers
        self._reader = wire.FrameReader()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._targets: set[asyncio.Task[None]] = set()
        self._heard = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE
        )
        uid = peer_credentials.uid_of(peer)
        if uid != os.getuid():
            _log.error("uid {uid} wants to be a data worker: refused", uid=uid)
            self._transport.abort()
            return
        self.pid = struct.unpack_from("@i", peer)[0]
        self._workers.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                self._received(wire.to_control(body))
        except wire.WireError as error:
            _log.error("data worker {pid}: {error}", pid=self.pid, error=str(error))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._workers.closed(self)
        # Pages go on: somebody may be half signed in.
        for task in self._targets & set(self._tasks.values()):
            task.cancel()
        for _, waiting in self._waiting:
            waiting.cancel()

    def send(self, message: wire.ToData) -> None:
        """Tell it."""
        if not self._transport.is_closing():
            self._transport.write(wire.encode(message))
            if self._transport.get_write_buffer_size() > wire.MOST_UNSENT:
                _log.error("data worker {pid} does not read: cut off", pid=self.pid)
                self.hang_up()

    def hang_up(self) -> None:
        """It connects again if it lives, and begins anew."""
        self._transport.abort()

    def has_heard(self, order: int) -> bool:
        """It carried out this order, or is gone."""
        return self._heard >= order or self._transport.is_closing()

    def when_heard(self, order: int) -> "asyncio.Future[None]":
        """Done when it has; cancelled when it is gone."""
        waiting: asyncio.Future[None] = self._workers.loop.create_future()
        self._waiting.append((order, waiting))
        return waiting

    def _received(self, message: wire.ToControl) -> None:
        match message:
            case wire.AskPage():
                self._begin(message.number, self._page(message))
            case wire.AskTarget():
                self._targets.add(self._begin(message.number, self._target(message)))
            case wire.GiveUp():
                if (task := self._tasks.get(message.number)) in self._targets and task is not None:
                    task.cancel()
            case wire.InUse():
                self._in_use(message)
            case wire.Failed():
                self._answers.events.failed(message.session, message.reason)
            case wire.Heard():
                self._has_heard(message.order)
            case wire.Ping():
                self.send(wire.Pong())

    def _begin(self, number: int, answering: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        if len(self._tasks) >= MOST_QUESTIONS or number in self._tasks:
            answering.close()
            raise wire.WireError(f"{len(self._tasks)} questions are open")
        task = self._workers.loop.create_task(answering)
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._ended(number, task))
        return task

    def _ended(self, number: int, task: "asyncio.Task[None]") -> None:
        del self._tasks[number]
        self._targets.discard(task)

    async def _page(self, asked: wire.AskPage) -> None:
        head = wire.head_of(asked.head)
        try:
            seen = self._answers.gate.authenticate(head)
            response = await self._answers.pages.handle(Request(head, seen.identity, asked.body))
        except Exception:
            _log.failure("{method} {path} failed", method=head.method, path=head.path)
            seen, response = Authentication(), self._failure(head)
        self.send(wire.Page(asked.number, response, seen.cookies))

    async def _target(self, asked: wire.AskTarget) -> None:
        head = wire.head_of(asked.head)
        try:
            found = await self._found(asked.session, head)
        except Exception:
            _log.failure("question for session {session} failed", session=asked.session)
            found = self._failure(head)
        if isinstance(found, Response):
            self.send(wire.Found(asked.number, None, found))
            return
        if collab_host(head.path) is None:
            self.told[asked.session] = found
        self.send(wire.Found(asked.number, wire.place_of(found), None))
        # It may have changed since it was found.
        self._workers.changed()

    async def _found(self, session_id: str, head: RequestHead) -> Target | Response:
        identity = self._answers.gate.authenticate(head).identity
        if identity is None:
            return self._answers.pages.error(head, 403, "You are not signed in any more.")
        found = self._answers.gate.session_target(identity, session_id, head)
        return found if isinstance(found, Target | Response) else await found

    def _failure(self, head: RequestHead) -> Response:
        return self._answers.pages.error(head, 500, "The server failed to answer this request.")

    def _in_use(self, said: wire.InUse) -> None:
        for session_id, count in said.connections.items():
            self._answers.in_use.carried_elsewhere(session_id, count - self.carried.pop(session_id, 0))
            if count:
                self.carried[session_id] = count
        for session_id in said.answered:
            self._answers.events.first_byte(session_id)
        self.listeners = said.listeners

    def _has_heard(self, order: int) -> None:
        self._heard = order
        done = [waiting for needed, waiting in self._waiting if needed <= order]
        self._waiting = [each for each in self._waiting if each[0] > order]
        for waiting in done:
            if not waiting.done():
                waiting.set_result(None)

"""A data worker and control on one loop, with a real socket between them, and what stands behind each."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from rserver.settings import WorkerSettings
from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.cookies import USER_COOKIE, CookieSigner
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.set_cookie import CookieStyle
from rserver.web.request import ANONYMOUS, Authentication, Identity, Request, RequestHead, Response, Target
from rserver.web.responses import html, plain
from rserver.workers.control_socket import Answers, DataWorkers
from rserver.workers.data_worker import DataWorker
from tests.rserver import own_loop

SID = "abcdecfc78a3112345678"
ANN = Identity("ann", 1000)


def credentials() -> Credentials:
    return Credentials(CookieSigner([b"k" * 32]), CookieLife(), CookieStyle())


class Control:
    """What stands behind control: one session, and pages that say who asks."""

    def __init__(self) -> None:
        self.credentials = credentials()
        self.target: Target | None = Target("/run/s.sock", 1000)
        self.carried: dict[str, int] = {}
        self.seen: list[tuple[str, ...]] = []
        self.asked = 0
        self.while_asked: Callable[[], object] = lambda: None
        self.released: asyncio.Event | None = None

    def authenticate(self, head: RequestHead) -> Authentication:
        ticket = self.credentials.check(head.cookies)
        return Authentication(Identity(ticket.user, ticket.uid), ("user-id=new", "b=2")) if ticket else ANONYMOUS

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        self.asked += 1
        if self.released is not None:
            return self._later(self.released)
        return self.target or plain("none", 404)

    async def _later(self, released: asyncio.Event) -> Target | Response:
        try:
            await released.wait()
        except asyncio.CancelledError:
            self.seen.append(("cancelled",))
            raise
        return self.target or plain("none", 404)

    async def handle(self, request: Request) -> Response:
        if self.released is not None:
            await self.released.wait()
        who = request.identity.user if request.identity else "nobody"
        return html(f"{who} {request.method} {len(request.body)}", cookies=("b=1",))

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        return plain(message, status)

    def carried_elsewhere(self, session_id: str, more: int) -> None:
        self.carried[session_id] = self.carried.get(session_id, 0) + more

    def connected(self, session_id: str) -> None: ...

    def disconnected(self, session_id: str) -> None: ...

    def first_byte(self, session_id: str) -> None:
        self.seen.append(("first_byte", session_id))

    def failed(self, session_id: str, reason: str) -> None:
        self.seen.append(("failed", session_id, reason))


class Plane:
    """The front of the data worker."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    def close_user(self, user: str) -> int:
        self.closed.append(user)
        return 0

    def close_session(self, session_id: str) -> int:
        self.closed.append(session_id)
        return 0

    def close_join(self, session_id: str, host_id: str) -> int:
        self.closed.append(f"{session_id} {host_id}")
        return 0

    def forget(self) -> None:
        self.closed.append("")

    def listeners(self) -> dict[str, int]:
        return {SID: 1}


class Pair:
    """Both, connected."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "workers.sock")
        self.control, self.plane = Control(), Plane()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.workers = await self.begin_control()
        path = self.path
        self.data = DataWorker(loop, WorkerSettings(), credentials(), lambda _: CookieSigner([b"k" * 32]), None, path)
        self.data.plane = self.plane
        await asyncio.wait_for(self.data.start(), 10)

    async def begin_control(self) -> DataWorkers:
        control = self.control
        stamps = control.credentials.revocations
        answers = Answers(control, control, control, control, lambda _: control.target, lambda: stamps.stamps)
        workers = DataWorkers(asyncio.get_running_loop(), answers)
        control.credentials.on_void = workers.void
        listener = socket.socket(socket.AF_UNIX)
        with suppress(FileNotFoundError):
            os.unlink(self.path)
        listener.bind(self.path)
        await workers.listen(listener)
        return workers

    def head(self, path: str = f"/s/{SID}/rpc/x", user: str = "ann") -> RequestHead:
        cookie = self.control.credentials.signer.sign(
            self.control.credentials.life.new(user, 1000, int(time.time() * 1e6), False)
        )
        return RequestHead("GET", path, "", {}, {USER_COOKIE: cookie}, ("127.0.0.1", 5))

    def known(self, identity: Identity = ANN) -> Target | None:
        """What the data worker knows without asking."""
        found = self.data.session_target(identity, SID, self.head())
        if isinstance(found, Coroutine):
            found.close()
        return found if isinstance(found, Target) else None

    async def target(self) -> Target | Response:
        found = self.data.session_target(ANN, SID, self.head())
        return found if isinstance(found, Target | Response) else await asyncio.wait_for(found, 10)


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    made = Pair(folder)
    await made.start()
    try:
        yield made
    finally:
        await made.data.finish()
        made.workers.close()


def run(folder: Path, test: Callable[[Pair], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with pair(folder) as made:
            await asyncio.wait_for(test(made), 30)

    own_loop.run(whole())


async def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)

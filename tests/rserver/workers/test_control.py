"""A data worker and control on one loop, with a real socket between them."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from rserver.settings import WorkerSettings
from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.cookies import USER_COOKIE, CookieSigner
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.set_cookie import CookieStyle
from rserver.web.request import ANONYMOUS, Authentication, Identity, Request, RequestHead, Response, Target
from rserver.web.responses import html, plain
from rserver.workers import control_link, control_socket, wire
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


def test_pages_are_answered_by_control_which_looks_at_the_cookie_itself(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        # Whoever the data worker takes him for.
        answer = await both.data.handle(Request(both.head("/home"), Identity("root", 0), b"abc"))
        assert answer.body == b"ann GET 3"
        assert answer.cookies == ("b=1", "user-id=new")

    run(tmp_path, test)


def test_target_is_asked_for_once_until_it_changes(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        assert await both.target() == both.control.target
        assert both.known()
        assert not both.known(Identity("bob", 1001))
        assert both.control.asked == 1
        both.control.target = Target("/run/other.sock", 1000)
        both.workers.changed()
        await until(lambda: not both.known())
        assert await both.target() == both.control.target

    run(tmp_path, test)


def test_target_that_changes_while_it_is_told_is_not_kept(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        both.control.released = asyncio.Event()
        asking = asyncio.ensure_future(both.target())
        await until(lambda: both.control.asked == 1)
        both.control.released.set()
        link = next(iter(both.workers._links))
        send = link.send

        def send_and_end(message: wire.ToData) -> None:
            send(message)
            if isinstance(message, wire.Found):
                both.control.target = None
                both.workers.close_session(SID)

        link.send = send_and_end  # type: ignore[method-assign]
        await asking
        assert not both.known()
        assert both.plane.closed[-2:] == ["", SID]

    run(tmp_path, test)


def test_sign_out_is_known_when_all_have_heard(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        head = both.head()
        await both.target()
        assert both.data.authenticate(head).identity == ANN
        both.control.credentials.revoke("ann")
        both.workers.close_user("ann")
        await both.workers.heard()
        assert both.data.authenticate(head).identity is None
        assert both.plane.closed[-2:] == ["", "ann"]
        assert not both.known()

    run(tmp_path, test)


def test_data_workers_are_told_who_may_not_join_any_more(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        both.workers.close_join(SID, "host")
        await until(lambda: f"{SID} host" in both.plane.closed)

    run(tmp_path, test)


def test_who_does_not_hear_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "HEARD_SECONDS", 0.2)

    async def test(both: Pair) -> None:
        reader, writer = await asyncio.open_unix_connection(both.path)
        await until(lambda: len(both.workers) == 2)
        both.workers.void("ann", 5)
        await both.workers.heard()
        await until(lambda: len(both.workers) == 1)
        assert both.data.link.begun.is_set()
        await asyncio.wait_for(reader.read(), 10)
        writer.close()

    run(tmp_path, test)


def test_who_does_not_read_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_UNSENT", 100_000)

    async def test(both: Pair) -> None:
        _, writer = await asyncio.open_unix_connection(both.path, limit=1)
        await until(lambda: len(both.workers) == 2)
        for number in range(3000):
            both.workers.void(f"user{number}" * 20, 5)
        await until(lambda: len(both.workers) == 1 or not both.data.link.begun.is_set())
        writer.close()
        await until(lambda: both.data.link.begun.is_set() and len(both.workers) == 1)

    run(tmp_path, test)


def test_control_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_link, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(control_link, "HUNG_PATIENCE_SECONDS", 0.05)

    async def test(both: Pair) -> None:
        target = await both.target()
        with monkeypatch.context() as hanging:
            hanging.setattr(control_socket._Link, "_received", lambda *_: None)
            answer = await asyncio.wait_for(both.data.handle(Request(both.head("/home"))), 20)
            assert answer.status == 503
            assert ("Retry-After", "5") in answer.headers
            assert both.known() in {target, None}
        await until(both.data.link.begun.is_set)
        assert (await both.data.handle(Request(both.head("/home")))).body == b"ann GET 0"

    run(tmp_path, test)


def test_answer_that_takes_long_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_link, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(control_link, "MOST_LOOKS", 2000)

    async def test(both: Pair) -> None:
        both.control.released = asyncio.Event()
        pings: list[wire.ToControl] = []
        link = next(iter(both.workers._links))
        received = link._received

        def count(message: wire.ToControl) -> None:
            pings.append(message)
            received(message)

        link._received = count  # type: ignore[method-assign]
        asking = asyncio.ensure_future(both.data.handle(Request(both.head("/home"))))
        await until(lambda: pings.count(wire.Ping()) >= 5)
        assert both.data.link._looks < 5
        both.control.released.set()
        assert (await asking).status == 200

    run(tmp_path, test)


def test_waiting_ends_when_the_client_does(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        both.control.released = asyncio.Event()
        asking = asyncio.ensure_future(both.target())
        await until(lambda: both.control.asked == 1)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await until(lambda: ("cancelled",) in both.control.seen)

    run(tmp_path, test)


def test_what_is_carried_counts_and_ends_with_its_worker(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        both.data.connected(SID)
        both.data.connected(SID)
        both.data.first_byte(SID)
        await until(lambda: both.control.carried.get(SID) == 2)
        assert ("first_byte", SID) in both.control.seen
        assert both.workers.listeners() == {SID: 1}
        both.data.disconnected(SID)
        await until(lambda: both.control.carried.get(SID) == 1)
        both.data.failed(SID, "why")
        await until(lambda: ("failed", SID, "why") in both.control.seen)
        await both.data.finish()
        await until(lambda: both.control.carried.get(SID) == 0)
        assert both.workers.listeners() == {}

    run(tmp_path, test)


def test_new_control_learns_what_is_carried_and_says_what_is_void(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        head, target = both.head(), await both.target()
        both.data.connected(SID)
        await until(lambda: both.control.carried.get(SID) == 1)
        both.workers.close()
        await until(lambda: not both.data.link.begun.is_set())
        assert both.known() == target
        assert both.data.authenticate(head).identity == ANN
        page = asyncio.ensure_future(both.data.handle(Request(both.head("/home"))))
        both.control = Control()
        both.control.credentials.revoke("ann")
        both.workers = await both.begin_control()
        assert (await page).body == b"nobody GET 0"
        await until(lambda: both.control.carried.get(SID) == 1)
        assert both.data.authenticate(head).identity is None
        assert not both.known()

    run(tmp_path, test)


def test_answer_lost_with_control_is_asked_for_again_when_that_is_safe(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        both.control.released = asyncio.Event()
        get = asyncio.ensure_future(both.data.handle(Request(both.head("/home"))))
        head = both.head("/home")
        post = asyncio.ensure_future(
            both.data.handle(Request(RequestHead("POST", "/home", "", {}, head.cookies, head.remote)))
        )
        await until(lambda: sum(len(link._tasks) for link in both.workers._links) == 2)
        both.workers.close()
        answer = await post
        assert answer.status == 503
        assert ("Retry-After", "5") in answer.headers
        both.control = Control()
        both.workers = await both.begin_control()
        assert (await get).body == b"ann GET 0"

    run(tmp_path, test)


def test_nonsense_ends_the_connection(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        reader, writer = await asyncio.open_unix_connection(both.path)
        writer.write(b"\0\0\0\1x")
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert len(both.workers) == 1

    run(tmp_path, test)


@pytest.mark.root
def test_another_account_is_no_worker(tmp_path: Path) -> None:
    async def test(both: Pair) -> None:
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        os.chmod(both.path, 0o666)
        code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({both.path!r}); print(len(s.recv(9)))"
        process = await asyncio.create_subprocess_exec(
            "/usr/bin/python3", "-c", code, user=65534, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
        )
        output, _ = await asyncio.wait_for(process.communicate(), 20)
        assert output.strip() == b"0" or b"ConnectionReset" in output, output
        assert len(both.workers) == 1

    assert os.getuid() == 0
    run(tmp_path, test)

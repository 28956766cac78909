"""A data worker and control on one loop, with a real socket between them."""

import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from rserver.web.request import Identity, Request, RequestHead, Target
from rserver.workers import control_link, control_socket, wire
from tests.rserver.workers.pair import ANN, SID, Control, Pair, run, until


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

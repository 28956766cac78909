"""The master runs rserver-acls for the worker: the real helper on real accounts, the worker's real client."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from rserver.master_client import MasterClient, MasterError
from rserver.supervisor.acl_changes import AclChanges
from rserver_core.frame import FrameReader, Message, encode, greeting
from rserver_process.event_loop import Loop
from rserver_process.requests import Requests
from tests.rserver_acls.projects import make_folder
from tests.rserver_process.turning import turn_until
from tests.system.accounts import Account, account

pytestmark = pytest.mark.root


class Line:
    """The worker's client and the master's side of it, with the frames carried over by hand."""

    def __init__(self, lib_dir: Path) -> None:
        self.loop, self.transport = Loop(), StringTransport()
        self.client = MasterClient(Clock(), lambda event: None, lambda: None)
        self.client.makeConnection(self.transport)  # type: ignore[no-untyped-call]
        self.changes = AclChanges(self.loop, str(lib_dir / "acls"), 1000, "")
        self.sent: list[Message] = []
        self.requests = Requests(self.changes.operations(self._tell), self._tell)
        self.reader = FrameReader()
        self._tell(greeting("master"))
        self.carry()

    def _tell(self, message: Message) -> None:
        self.sent.append(message)
        self.client.dataReceived(encode(message))

    def carry(self) -> None:
        """What the worker sent reaches the master."""
        data = self.transport.value()
        self.transport.clear()
        for message in self.reader.feed(data):
            if "op" in message:
                self.requests.received(message)

    def wait(self, *answers: "Deferred[Message]") -> list[Any]:
        """Results or errors of these, in their order."""
        results: dict[int, Any] = {}
        for number, answer in enumerate(answers):
            answer.addBoth(partial(_put, results, number))
        self.carry()
        turn_until(self.loop, lambda: len(results) == len(answers))
        return [results[number] for number in range(len(answers))]


def _put(results: dict[int, Any], number: int, result: Any) -> None:
    results[number] = getattr(result, "value", result)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.loop.close()


@pytest.fixture(scope="module")
def owner() -> Iterator[Account]:
    with account("rsa") as made:
        make_folder(made)
        yield made


@pytest.fixture(scope="module")
def alice() -> Iterator[Account]:
    with account("rsa") as made:
        yield made


def test_share_and_unshare(line: Line, owner: Account, alice: Account) -> None:
    folder = owner.home / "trees"
    asked = (str(folder), owner.name, [alice.name])
    (shared,) = line.wait(line.client.acls("share", *asked))
    assert (shared["changed"], shared["members"], shared["acl"]) == (6, [alice.name], "posix")
    assert set(shared["confined"]) >= {"uid", "capabilities", "seccomp"}
    (removed,) = line.wait(line.client.acls("unshare", *asked))
    assert (removed["changed"], removed["members"]) == (6, [])


def test_refusals_keep_their_code_and_sentence(line: Line, owner: Account, alice: Account) -> None:
    answers = line.wait(
        line.client.acls("share", str(owner.home), owner.name, [alice.name]),
        line.client.acls("share", "/etc/../root", alice.name, [owner.name]),
    )
    assert [answer.code for answer in answers] == ["outside", "bad_request"]
    assert all(isinstance(answer, MasterError) and answer.message.endswith(".") for answer in answers)


@pytest.mark.parametrize("request_", [None, {}, {"owner": 1}, {"owner": "--x"}, {"owner": "a", "x": "y" * 70_000}])
def test_what_is_no_request_reaches_no_helper(line: Line, request_: object) -> None:
    line.requests.received({"id": 1, "op": "acls", "request": request_})
    assert line.sent[-1]["error"]["code"] == "bad_request"


def test_one_run_of_an_owner_at_a_time(line: Line, owner: Account, alice: Account) -> None:
    asked = (str(owner.home / "trees"), owner.name, [alice.name])
    first, second = line.wait(line.client.acls("share", *asked), line.client.acls("unshare", *asked))
    assert first["members"] == [alice.name]
    assert second.code == "busy"
    line.wait(line.client.acls("unshare", *asked))


def test_progress_and_cancel_and_then_the_way_back(line: Line, owner: Account, alice: Account) -> None:
    """Who cancels can undo at once; the broken-off run left a state from which that works."""
    folder = owner.home / "large"
    for number in range(100):
        (folder / f"d{number}").mkdir(parents=True)
        for leaf in range(150):
            (folder / f"d{number}" / f"f{leaf}").touch()
    for directory, _, files in os.walk(folder):
        for name in (directory, *(os.path.join(directory, file) for file in files)):
            os.chown(name, owner.uid, owner.gid)
    asked = (str(folder), owner.name, [alice.name])
    heard: list[tuple[int, int | None]] = []
    running = line.client.acls("share", *asked, lambda done, expected: heard.append((done, expected)))
    line.carry()
    turn_until(line.loop, lambda: heard or running.called)
    # On a fast machine it may be over before the first news.
    running.cancel()
    stopped, removed = line.wait(running, line.client.acls("unshare", *asked))
    assert isinstance(stopped, CancelledError) or stopped["changed"] == 15_101
    assert all(0 < done <= 15_101 and expected is None for done, expected in heard)
    assert removed["members"] == []
    assert b"posix_acl" not in b"".join(name.encode() for name in os.listxattr(folder))


def test_a_worker_that_is_gone_hears_nothing(line: Line, owner: Account, alice: Account) -> None:
    """The run goes to its end; ids of the next worker begin anew."""
    asked = (str(owner.home / "trees"), owner.name, [alice.name])
    line.client.acls("share", *asked).addErrback(lambda _: None)
    line.carry()
    line.requests.close()
    line.changes.forget()
    before = len(line.sent)
    turn_until(line.loop, lambda: not line.changes._owners)
    assert len(line.sent) == before

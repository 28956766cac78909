"""What the server asks of the helper for a change, and what it keeps of each outcome. Real files, a scripted master."""

import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rserver.accounts import Accounts
from rserver.master_client import MasterError
from rserver.sessions.table import SessionTable
from rserver.sharing.farewells import Farewells
from rserver.sharing.known_projects import KnownProjects
from rserver.sharing.people import People
from rserver.sharing.project_files import ProjectFiles
from rserver.sharing.refused import ShareRefused
from rserver.sharing.sharing import Done, Sharing
from rserver.sign_in.policy import Account, SignInPolicy
from rserver_core.frame import Message
from tests.rserver.doubles import FakeMaster, ThreadsAtOnce

UIDS = {"ann": 1001, "ben": 1002, "cleo": 1003, "low": 5, "nobody": 65534}
FOLDER = "/home/ann/trees"


def lookup(name: str) -> Account | None:
    uid = UIDS.get(name)
    return Account(name, uid, uid, f"/home/{name}", "/bin/sh", frozenset(), name.title()) if uid else None


ANN = Account("ann", 1001, 1001, "/home/ann", "/bin/sh", frozenset())


class House:
    """Sharing with a scripted helper: each run answers with the members that it is told to have."""

    def __init__(self, storage: Path) -> None:
        self.clock, self.storage = Clock(), storage
        self.access: set[str] = set()
        self.refusal: MasterError | None = None
        self.begin()

    def begin(self) -> None:
        """Also again, as after a restart."""
        threads: Any = ThreadsAtOnce()
        accounts = Accounts(self.clock, threads, lookup)
        people = People(accounts, SignInPolicy)
        known = KnownProjects(ProjectFiles(str(self.storage)), os.getuid(), self.clock, threads, people)
        farewells = Farewells(self.clock, SessionTable(), lambda record, by: succeed(None), lambda session: "")
        self.master = FakeMaster(acls=self._helper)
        self.sharing = Sharing(self.master, known, people, farewells, lambda *_: "0badcafe", lambda: 12.0)
        self.result(known.begin())

    def _helper(self, message: Message) -> Message | Exception:
        if self.refusal is not None:
            return self.refusal
        if message["action"] == "share":
            self.access |= set(message["members"])
        else:
            self.access -= set(message["members"] or self.access)
        return {"members": sorted(self.access), "skipped_total": 0, "skipped": []}

    def result(self, work: Coroutine[Any, Any, Any]) -> Any:
        results: list[Any] = []
        Deferred.fromCoroutine(work).addCallbacks(results.append, lambda failure: results.append(failure.value))
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    def set(self, *members: str) -> Done:
        """Who has access then."""
        found: Done = self.result(self.sharing.set_members(ANN, FOLDER, members))
        return found

    def asked(self) -> list[tuple[str, list[str]]]:
        """What the helper was asked since the last time."""
        found = [(each["action"], each["members"]) for each in self.master.requests]
        self.master.requests.clear()
        return found

    def told(self) -> dict[str, Any] | None:
        """The file about the project."""
        files = list((self.storage / "shared-projects").iterdir())
        return json.loads(files[0].read_text()) if files else None


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr("rserver_core.shared_project_folder.staleness", lambda known: "")
    monkeypatch.setattr("rserver.sharing.known_projects.staleness", lambda known: "")
    monkeypatch.setattr("rserver_core.shared_project_folder.pwd.getpwnam", lambda name: _Entry(UIDS[name]))
    return House(tmp_path)


class _Entry:
    def __init__(self, uid: int) -> None:
        self.pw_uid = uid


def test_only_what_is_needed_is_asked(house: House) -> None:
    assert house.set("ben").members == ("ben",)
    assert house.asked() == [("share", ["ben"])]
    house.set("ben", "cleo")
    assert house.asked() == [("share", ["ben", "cleo"])]
    house.set("cleo")
    assert house.asked() == [("unshare", ["ben"])]
    house.set("ben")
    assert house.asked() == [("unshare", ["cleo"]), ("share", ["ben"])]
    house.set("ben")
    assert house.asked() == [("share", ["ben"])]
    house.set()
    assert house.asked() == [("unshare", [])]
    assert house.told() is None


def test_whoever_has_access_without_being_named_loses_it(house: House) -> None:
    house.access = {"low"}
    assert house.set("ben").members == ("ben",)
    assert house.asked() == [("share", ["ben"]), ("unshare", ["low"])]
    house.access |= {"cleo"}
    house.set()
    assert house.access == set()


@pytest.mark.parametrize(
    "code", ["outside", "symlink", "not_owner", "unsupported", "read_only", "busy", "unknown_user"]
)
def test_what_was_refused_at_once_leaves_no_trace(house: House, code: str) -> None:
    house.refusal = MasterError(code, "No.")
    with pytest.raises(ShareRefused, match="No"):
        house.set("ben")
    assert house.told() is None
    house.refusal = None
    house.set("ben")
    house.refusal = MasterError(code, "No.")
    before = house.told()
    with pytest.raises(ShareRefused):
        house.set("ben", "cleo")
    assert house.told() == before


@pytest.mark.parametrize("code", ["failed", "timeout", "cancelled", "closed"])
def test_what_broke_off_is_written_down_and_completed(house: House, code: str) -> None:
    house.set("ben")
    house.asked()
    house.refusal = MasterError(code, "It stopped.")
    with pytest.raises(ShareRefused) as refusal:
        house.set("cleo")
    assert refusal.value.was_cancelled == (code == "cancelled")
    told = house.told()
    assert told is not None
    # Who leaves is not named any more, whatever the lists say.
    assert (told["shared_with"], told["unfinished"]) == ([], {"members": ["cleo"], "reason": "It stopped."})
    house.refusal = None
    house.asked()
    assert house.set("cleo").members == ("cleo",)
    # ben had lost his place already; his access shows in the helper's answer.
    assert house.asked() == [("share", ["cleo"]), ("unshare", ["ben"])]
    assert house.access == {"cleo"}


def test_a_server_that_ended_in_the_middle_says_so(house: House) -> None:
    house.set("ben")
    known = house.sharing.known.find("ann", FOLDER)
    assert known is not None
    path = next((house.storage / "shared-projects").iterdir())
    content = json.loads(path.read_text()) | {"unfinished": {"members": ["ben", "cleo"], "reason": ""}}
    path.write_text(json.dumps(content))
    house.begin()
    told = house.told()
    assert told is not None
    assert told["unfinished"] == {
        "members": ["ben", "cleo"],
        "reason": "The server was stopped before access was changed everywhere.",
    }
    assert house.set("ben", "cleo").members == ("ben", "cleo")
    told = house.told()
    assert told is not None
    assert "unfinished" not in told


@pytest.mark.parametrize("members", [["low"], ["nobody"], ["nobody-here"], ["ann"], ["ben", "low"]])
def test_who_may_not_be_a_member_reaches_no_helper(house: House, members: list[str]) -> None:
    with pytest.raises(ShareRefused):
        house.set(*members)
    assert house.asked() == []


def test_members_leave_and_strangers_cannot(house: House) -> None:
    house.set("ben", "cleo")
    house.asked()
    with pytest.raises(ShareRefused, match="no member"):
        house.result(house.sharing.leave("low", FOLDER))
    with pytest.raises(ShareRefused, match="no member"):
        house.result(house.sharing.leave("ann", FOLDER))
    assert house.asked() == []
    assert house.result(house.sharing.leave("ben", FOLDER)).members == ("cleo",)
    assert house.asked() == [("unshare", ["ben"])]
    told = house.told()
    assert told is not None
    assert told["updated_by"] == "ben"


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (FOLDER, f"{FOLDER}/oak", f"lies in the project {FOLDER}, which"),
        (f"{FOLDER}/oak/a", FOLDER, f"The project {FOLDER}/oak/a, which lies in this one"),
    ],
)
def test_of_a_project_in_a_project_one_is_shared(house: House, first: str, second: str, says: str) -> None:
    def put(folder: str, *members: str) -> Done:
        done: Done = house.result(house.sharing.set_members(ANN, folder, members))
        return done

    put(first, "ben")
    told = house.told()
    house.asked()
    for members in (["ben"], []):
        with pytest.raises(ShareRefused, match=says):
            put(second, *members)
    assert (house.asked(), house.told()) == ([], told)
    put(f"{FOLDER}s", "ben")
    put(first, "ben", "cleo")
    put(first)
    assert put(second, "ben").members == ("ben",)


def test_nested_projects_that_are_both_shared_are_taken_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they may be from earlier; nobody is added meanwhile."""
    house.set("ben")
    inner = f"{FOLDER}/oak"
    with monkeypatch.context() as patch:
        patch.setattr("rserver.sharing.sharing.why_not", lambda *_: "")
        house.result(house.sharing.set_members(ANN, inner, ["ben"]))
    with pytest.raises(ShareRefused, match="lies in this one"):
        house.set("ben", "cleo")
    house.result(house.sharing.set_members(ANN, inner, []))
    house.set("ben", "cleo")


def test_one_change_of_a_project_at_a_time(house: House) -> None:
    house.master.answers.clear()
    running = Deferred.fromCoroutine(house.sharing.set_members(ANN, FOLDER, ["ben"]))
    with pytest.raises(ShareRefused, match="being changed already"):
        house.set("cleo")
    with pytest.raises(ShareRefused, match="Nothing is being changed"):
        house.sharing.cancel("ben", FOLDER)
    results: list[Any] = []
    running.addErrback(lambda failure: results.append(failure.value))
    house.sharing.cancel("ann", FOLDER)
    assert results[0].was_cancelled
    told = house.told()
    assert told is not None
    assert told["unfinished"]["members"] == ["ben"]


def test_a_folder_that_is_gone_can_be_left_and_taken_back(house: House) -> None:
    house.set("ben", "cleo")
    house.refusal = MasterError("absent", "There is no such folder.")
    house.result(house.sharing.leave("ben", FOLDER))
    house.set()
    assert house.told() is None


def test_a_mistake_of_the_server_leaves_what_can_be_completed(house: House) -> None:
    house.master.answers["acls"] = lambda message: {"members": None}
    with pytest.raises(ShareRefused, match="made a mistake"):
        house.set("ben")
    told = house.told()
    assert told is not None
    assert told["unfinished"]["members"] == ["ben"]
    house.master.answers["acls"] = house._helper
    assert house.set("ben").members == ("ben",)

"""Projects of others on the page with all sessions: shown, opened, left."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from rserver_core.shared_project import SharedProject
from tests.rserver.web.house import Browser, House, location

FOLDER = "/home/alice/trees <b> 'n' \u202eroots"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Alice shares a project with bob."""
    made = House(tmp_path)
    sharing = made.worker.sharing
    assert sharing is not None
    made.result(Deferred.fromCoroutine(sharing.sharing.known.begin()))
    sharing.is_on = True
    project = SharedProject("0123abcd", FOLDER, "alice", {"bob": 1_700_000_000.0})
    made.result(Deferred.fromCoroutine(sharing.sharing.known.put(project, 1001)))
    return made


def page_of(browser: Browser) -> str:
    return browser.get("/home").body.decode()


def test_members_see_it_as_text_and_others_do_not(house: House) -> None:
    page = page_of(house.browse("bob"))
    assert 'data-key="alice/0123abcd"' in page
    assert "trees &lt;b&gt; &#x27;n&#x27;" in page
    assert "<b>" not in page
    assert "2023-11-14 22:13 UTC" in page
    assert "shared-project" not in page_of(house.browse("alice"))


def test_it_is_opened_by_its_key(house: House) -> None:
    bob = house.browse("bob")
    page_of(bob)
    answer = bob.post("/home", **{"open-shared": "alice/0123abcd"})
    assert answer.status == 303
    (session,) = house.worker.control.table.of_user("bob", 1002)
    assert location(answer) == f"/s/{session.id}/"
    assert session.project == FOLDER


@pytest.mark.parametrize("key", ["alice/ffffffff", "bob/0123abcd", "", "alice/0123abcd/x", "0123abcd"])
def test_what_is_not_shared_is_neither_opened_nor_left(house: House, key: str) -> None:
    bob = house.browse("bob")
    page_of(bob)
    for field in ("open-shared", "leave-shared"):
        answer = bob.post("/home", **{field: key})
        assert (answer.status, "not shared with you" in answer.body.decode()) == (409, True)
    assert house.worker.control.table.of_user("bob", 1002) == []
    assert house.master.open == []

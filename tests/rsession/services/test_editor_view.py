"""The place in the editor outlives pages and processes."""

import os
import signal
from typing import Any

import pytest

from rsession.services.editor_view import is_view
from tests.rsession.running import RunningSession, ready

PLACE = {"anchor": 3, "head": 5, "top": 2}


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"active": None},
        {"active": "../../x", "places": {}},
        {"active": None, "places": []},
        {"active": None, "places": {"xyz": PLACE}},
        {"active": None, "places": {"0123abcd": {**PLACE, "top": -1}}},
        {"active": None, "places": {"0123abcd": {**PLACE, "top": True}}},
        {"active": None, "places": {"0123abcd": {**PLACE, "more": 1}}},
        {"active": None, "places": {f"{number:08x}": PLACE for number in range(201)}},
    ],
)
def test_what_is_no_view_is_refused(view: Any) -> None:
    assert not is_view(view)


@pytest.mark.r
def test_a_place_survives_the_end_of_the_process() -> None:
    with RunningSession() as session:
        ready(session)
        assert session.start["view"] is None
        id_ = session.call("new_document", "r", "one\ntwo\n")["id"]
        view = {"active": id_, "places": {id_: PLACE}}
        session.call("save_view", view)
        assert session.call("client_init")["view"] == view
        assert session.rpc("save_view", {"active": 5})["error"]["code"] == 10
        path = session.home / ".local/share/rstudio/sources/session-def01234/view"
        while not path.exists():
            session.call("list_documents")
        os.kill(session.pid, signal.SIGKILL)
        session.launch()
        ready(session)
        assert session.start["view"] == view

"""Who edits texts that sessions of others keep, and for how long."""

import pytest

from rserver.sessions.session import Session
from rserver.web.joins import Joins
from rserver.web.request import Identity, Target
from tests.rserver.web.house import ALICE, BOB, House


def running(house: House, identity: Identity) -> Session:
    session = house.session_of(identity)
    house.worker.control.want(session)
    house.run(session, pid=identity.uid)
    return session


def test_who_was_let_in_is_cut_off_when_that_ends(house: House) -> None:
    own, host = running(house, BOB), running(house, ALICE)
    gate, members = house.worker.gate, {"bob"}
    gate.joins.may = lambda identity, *_: identity.user in members
    path = f"/s/{own.id}/collab/{host.id}/00000000"
    head = house.browse("bob").head("GET", path)
    found = gate.session_target(BOB, own.id, head)
    assert isinstance(found, Target)
    assert (found.socket_path, found.head_lines) == (host.target and host.target.socket_path, b"X-RS-User: bob\r\n")
    assert gate.joins.look_over() == 0
    members.clear()
    assert gate.joins.look_over() == 1
    assert house.front.joins == [(own.id, host.id)]
    assert gate.joins.look_over() == 0
    assert not isinstance(gate.session_target(BOB, own.id, head), Target)


def test_only_pairs_that_run_are_remembered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rserver.web.joins._MANY", 1)
    own, host = running(house, BOB), running(house, ALICE)
    closed: list[tuple[Session, Session]] = []
    joins = Joins(close=lambda *pair: closed.append(pair))
    for session in (Session("gone", "alice", 1001), host):
        assert joins.ask(BOB, own, session)
    joins.may = lambda *_: False
    assert joins.look_over() == 1
    assert closed == [(own, host)]

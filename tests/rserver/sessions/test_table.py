from rserver.sessions.table import SessionTable
from rserver.store.rows import SessionRow
from tests.rserver.doubles import record


def test_a_user_has_one_session_that_stays_the_same() -> None:
    table = SessionTable()
    session = table.one_of_user("alice", 1001)
    assert table.one_of_user("alice", 1001) is session
    assert table.one_of_user("bob", 1002) is not session
    assert len(session.id) == 21


def test_strangers_find_nothing() -> None:
    table = SessionTable()
    session = table.one_of_user("alice", 1001)
    assert table.find(session.id, "alice", 1001) is session
    assert table.find(session.id, "bob", 1002) is None
    assert table.find(session.id, "alice", 1002) is None
    assert table.find(session.id, "bob", 1001) is None


def test_an_account_with_a_new_uid_gets_a_new_session() -> None:
    table = SessionTable()
    assert table.one_of_user("alice", 1001) is not table.one_of_user("alice", 2001)


def test_the_session_used_last_is_the_users_one() -> None:
    rows = [SessionRow(f"{n:021x}", "alice", 1001, last_used=float(n)) for n in range(3)]
    assert SessionTable(rows).one_of_user("alice", 1001).id == rows[2].id


def test_a_running_process_of_an_unknown_session_is_adopted() -> None:
    table = SessionTable()
    session = table.adopt(record("a" * 21))
    assert (session.user, session.uid) == ("alice", 1001)
    assert table.find("a" * 21, "alice", 1001) is session


def test_what_changed_is_told_once() -> None:
    now = 5.0
    table = SessionTable(now=lambda: now)
    session = table.one_of_user("alice", 1001)
    assert [row.id for row in table.take_changed()] == [session.id]
    assert table.take_changed() == []
    now = 9.0
    table.used(session)
    assert [row.last_used for row in table.take_changed()] == [9.0]

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rserver.store import schema
from rserver.store.rows import SessionRow
from rserver.store.schema import VERSION, StoreTooNew, open_database
from rserver.store.store import FILE_NAME, Store
from tests.rserver.doubles import ThreadsAtOnce

ROW = SessionRow("0" * 21, "alice", 1001, "label", "", "4.2.2", 1.5, 2.5)


def result(waiting: "Deferred[Any]") -> Any:
    results: list[Any] = []
    waiting.addBoth(results.append)
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0]


def opened(directory: Path) -> Store:
    store: Store = result(Deferred.fromCoroutine(Store.open(ThreadsAtOnce(), str(directory))))
    return store


def test_sessions_survive(tmp_path: Path) -> None:
    store = opened(tmp_path)
    newer = replace(ROW, id="1" * 21, last_used=9.0)
    result(store.put_sessions([ROW, newer]))
    result(store.put_sessions([replace(ROW, label="new")]))
    result(store.close())
    assert result(opened(tmp_path).sessions()) == [newer, replace(ROW, label="new")]


def test_sessions_are_forgotten(tmp_path: Path) -> None:
    store = opened(tmp_path)
    result(store.put_sessions([ROW, replace(ROW, id="1" * 21)]))
    result(store.drop_sessions([ROW.id, "f" * 21]))
    assert [row.id for row in result(store.sessions())] == ["1" * 21]


def test_revocations_survive_and_old_ones_go(tmp_path: Path) -> None:
    store = opened(tmp_path)
    result(store.put_revocation("alice", 5))
    result(store.put_revocation("alice", 7_000_000_000_000_000))
    result(store.put_revocation("bob", 6))
    result(store.drop_old_revocations(100))
    result(store.close())
    assert result(opened(tmp_path).revocations()) == {"alice": 7_000_000_000_000_000}


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(sqlite3.Error):
        result(store.put_sessions([ROW, replace(ROW, id="2" * 21, uid="no number")]))  # type: ignore[arg-type]
    assert result(store.sessions()) == []
    result(store.put_sessions([ROW]))
    assert result(store.sessions()) == [ROW]


def test_a_store_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript(schema._STEPS[0])
    connection.execute("INSERT INTO session VALUES (?, 'alice', 1001, 'label', '', '4.2.2', 1.5, 2.5)", [ROW.id])
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()
    assert result(opened(tmp_path).sessions()) == [replace(ROW, r_key="4.2.2")]


def test_what_users_chose_is_kept_by_name_and_number(tmp_path: Path) -> None:
    store = opened(tmp_path)
    result(store.put_setting("alice", 1001, "r-version", "4.2.2"))
    result(store.put_setting("alice", 1002, "r-version", "3.6.3"))
    result(store.put_setting("alice", 1001, "other", "x"))
    result(store.put_setting("bob", 1003, "r-version", "4.4.1"))
    result(store.put_setting("bob", 1003, "r-version", ""))
    result(store.close())
    assert result(opened(tmp_path).settings("r-version")) == {("alice", 1001): "4.2.2", ("alice", 1002): "3.6.3"}


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    connection = open_database(str(tmp_path / FILE_NAME))
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(StoreTooNew, match=f"version {VERSION + 1}"):
        opened(tmp_path)


def test_another_process_that_was_killed_while_writing_leaves_a_good_store(tmp_path: Path) -> None:
    writer = open_database(str(tmp_path / FILE_NAME))
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO revocation VALUES ('alice', 1)")
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in tmp_path.glob(FILE_NAME + "*"):
        (copied / file.name).write_bytes(file.read_bytes())
    writer.close()
    assert result(opened(copied).revocations()) == {}

"""Folders and the ids that stand for them."""

from rserver.sessions.projects import MOST_PROJECTS, MOST_RECENT, ProjectTable


def opened(table: ProjectTable, path: str) -> None:
    table.opened("alice", 1001, table.of_folder("alice", 1001, path).id)


def test_one_folder_has_one_id_for_a_user() -> None:
    table = ProjectTable()
    first = table.of_folder("alice", 1001, "/a")
    assert table.of_folder("alice", 1001, "/a") == first
    assert len({first.id, table.of_folder("alice", 1001, "/b").id, table.of_folder("bob", 1002, "/a").id}) == 3
    assert table.find("alice", 1001, first.id) == first
    assert table.find("alice", 1002, first.id) is None
    table.opened("alice", 1001, "00000000")
    assert table.recent("alice", 1001) == []
    assert table.find("bob", 1002, first.id) is None


def test_the_table_goes_on_with_what_was_stored() -> None:
    table = ProjectTable(now=lambda: 5.0)
    opened(table, "/a")
    stored = table.take_changed()
    assert table.take_changed() == []
    again = ProjectTable(stored)
    assert again.of_folder("alice", 1001, "/a") == stored[0]
    assert [row.path for row in again.recent("alice", 1001)] == ["/a"]


def test_recent_ones_come_in_the_order_in_which_they_were_opened_last() -> None:
    seconds = iter(range(1, 100))
    table = ProjectTable(now=lambda: float(next(seconds)))
    for name in [*range(20), 3]:
        opened(table, f"/{name}")
    recent = table.recent("alice", 1001)
    assert len(recent) == MOST_RECENT
    assert [row.path for row in recent[:3]] == ["/3", "/19", "/18"]
    table.strike(recent[0])
    assert table.recent("alice", 1001)[0].path == "/19"
    assert table.of_folder("alice", 1001, "/3").id == recent[0].id


def test_a_user_cannot_fill_the_store() -> None:
    seconds = iter(range(1, 5000))
    table = ProjectTable(now=lambda: float(next(seconds)))
    for number in range(MOST_PROJECTS + 5):
        opened(table, f"/{number}")
    assert len(table.take_changed()) == MOST_PROJECTS
    assert sorted(row.path for row in table.take_forgotten()) == [f"/{number}" for number in range(5)]

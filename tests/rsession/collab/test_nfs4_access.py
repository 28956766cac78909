"""What NFSv4 lists grant; beside a real server in tests/rserver_acls/nfs_cases.py."""

import os
from pathlib import Path

import pytest

from rserver_core.nfs4_domain import domain_of_machine
from rserver_core.nfs4_list import ALLOW, DENY, EVERYONE, GROUP, IS_GROUP, OWNER, Entry, encode
from rsession.collab.nfs4_access import nfs4_permits
from rsession.collab.person import Person

READ, WRITE, SEARCH = 0x1, 0x6, 0x20
DOMAIN = domain_of_machine(os.uname().nodename)


@pytest.fixture
def facts(tmp_path: Path) -> os.stat_result:
    """Of a file that belongs to whoever runs this."""
    file = tmp_path / "f"
    file.touch()
    return file.stat()


def permits(facts: os.stat_result, who: Person, wanted: int, *entries: Entry) -> bool:
    return nfs4_permits(encode(entries), facts, who, wanted)


def test_the_first_entry_that_fits_decides(facts: os.stat_result) -> None:
    ben = Person("ben", 4002, frozenset({4002, 50}))
    group, everyone = Entry(ALLOW, IS_GROUP, READ, b"50"), Entry(ALLOW, 0, READ | WRITE, EVERYONE)
    assert permits(facts, ben, 4, group)
    assert not permits(facts, ben, 6, group)
    assert permits(facts, ben, 6, group, everyone)
    assert not permits(facts, ben, 6, Entry(DENY, 0, WRITE, b"4002"), group, everyone)
    assert permits(facts, ben, 4, Entry(DENY, 0, WRITE, b"4002"), group, everyone)
    assert permits(facts, ben, 6, Entry(DENY, IS_GROUP, WRITE, b"4002x"), everyone)
    assert not permits(facts, ben, 4)


def test_owner_and_group_of_the_file(facts: os.stat_result) -> None:
    entries = Entry(ALLOW, 0, READ | WRITE, OWNER), Entry(ALLOW, 0, READ, GROUP)
    owner = Person("owner", facts.st_uid, frozenset())
    mate, stranger = Person("mate", 4003, frozenset({facts.st_gid})), Person("stranger", 4004, frozenset())
    assert permits(facts, owner, 6, *entries)
    assert permits(facts, mate, 4, *entries)
    assert not permits(facts, mate, 6, *entries)
    assert not permits(facts, stranger, 4, *entries)


def test_names(facts: os.stat_result) -> None:
    ben = Person("ben", 4002, frozenset({0}))
    assert permits(facts, ben, 4, Entry(ALLOW, 0, READ, f"ben@{DOMAIN}".encode()))
    assert permits(facts, ben, 4, Entry(ALLOW, IS_GROUP, READ, f"root@{DOMAIN}".encode()))
    assert not permits(facts, ben, 4, Entry(ALLOW, 0, READ, b"ben@elsewhere.example"))


def test_half_a_right_to_write_is_none(facts: os.stat_result) -> None:
    ben = Person("ben", 4002, frozenset())
    assert not permits(facts, ben, 2, Entry(ALLOW, 0, 0x2, b"4002"))


def test_what_is_no_list(facts: os.stat_result) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        nfs4_permits(b"\0\0\0\1", facts, Person("ben", 4002, frozenset()), 4)

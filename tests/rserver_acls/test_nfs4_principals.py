"""How NFS servers spell people."""

from pathlib import Path

import pytest

from rserver_acls.nfs4_principals import Principals
from rserver_core.nfs4_domain import domain_of_machine, spelled
from rserver_core.nfs4_list import ALLOW, EVERYONE, IS_GROUP, Entry

BY_NUMBER = (Entry(ALLOW, 0, 1, b"1002"), Entry(ALLOW, IS_GROUP, 1, b"1002"), Entry(ALLOW, 0, 1, EVERYONE))
BY_NAME = (
    Entry(ALLOW, 0, 1, b"ben@trees.example"),
    Entry(ALLOW, IS_GROUP, 1, b"ben@trees.example"),
    Entry(ALLOW, 0, 1, b"ben@other.example"),
    Entry(ALLOW, 0, 1, EVERYONE),
)


def people() -> Principals:
    return Principals({1002: "ben"}, "trees.example")


def test_numbers_first_and_names_when_they_are_refused() -> None:
    principals = people()
    assert principals.spelled(BY_NUMBER) == BY_NUMBER
    assert principals.respell()
    assert [entry.who for entry in principals.spelled(BY_NUMBER)] == [b"ben@trees.example", b"1002", EVERYONE]
    assert not principals.respell()


def test_a_list_of_the_server_teaches() -> None:
    principals = people()
    known = principals.numbered(BY_NAME)
    assert [entry.who for entry in known] == [b"1002", *(entry.who for entry in BY_NAME[1:])]
    assert principals.spelled(known) == BY_NAME


@pytest.mark.parametrize(
    ("content", "domain"),
    [
        ("[General]\n#Domain = wrong\nVerbosity = 0\n  domain=trees.example  \n", "trees.example"),
        ("[General]\nDomain =\n", "site.example"),
        (None, "site.example"),
    ],
)
def test_the_domain(tmp_path: Path, content: str | None, domain: str) -> None:
    mapping = tmp_path / "idmapd.conf"
    if content is not None:
        mapping.write_text(content)
    assert domain_of_machine("vm.site.example", str(mapping)) == domain
    assert domain_of_machine("vm", str(tmp_path / "none")) == "localdomain"


def test_names_with_a_realm_stay() -> None:
    assert spelled("ben", "trees.example") == b"ben@trees.example"
    assert spelled("ben@REALM", "trees.example") == b"ben@REALM"

"""Who can be found, and what is told where the list of users is hidden."""

import grp
import pwd

import pytest

from rsession.sharing.people import MOST_FOUND, Directory, person
from rsession.sharing.terms import Terms, terms_of


def entry(name: str, uid: int, gecos: str = "", gid: int = 0, shell: str = "/bin/bash") -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, gid or uid, gecos, f"/home/{name}", shell))


PEOPLE = [
    entry("root", 0, "root"),
    entry("daemon", 1),
    entry("ann", 1001, "Ann Lovelace,Room 1"),
    entry("ben", 1002, "Benjamin Arrow"),
    entry("joanna", 1003, "Joanna Dean"),
    entry("backup", 2000, "Annals", shell="/usr/sbin/nologin"),
    *(entry(f"many{number:03}", 3000 + number) for number in range(100)),
]


@pytest.fixture(autouse=True)
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwall", lambda: PEOPLE)
    by_name = {each.pw_name: each for each in PEOPLE}
    monkeypatch.setattr(pwd, "getpwnam", by_name.__getitem__)


def names(query: str, own: int = 1002, limit: int = 20, **terms: object) -> list[str]:
    given = Terms("/shared", "/rpc.sock", **terms)  # type: ignore[arg-type]
    return [each.name for each in Directory(given, own).find(query, limit)]


def test_beginnings_of_names_come_before_what_holds_the_query() -> None:
    assert names("ann") == ["ann", "joanna"]
    assert names("LOVE") == ["ann"]
    assert names("dean") == ["joanna"]
    assert names("nobody like this") == []


def test_neither_oneself_nor_system_accounts_are_found() -> None:
    assert names("ben", own=1002) == []
    assert names("ben", own=1001) == ["ben"]
    assert names("root") == names("daemon") == names("backup") == []
    assert names("ann", minimum_uid=1002) == ["joanna"]


def test_at_most_so_many() -> None:
    assert len(names("many", limit=5)) == 5
    assert len(names("many", limit=1000)) == MOST_FOUND
    assert len(names("", limit=3)) == 3


def test_only_who_may_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = grp.struct_group(("staff", "x", 1003, ["ann"]))
    monkeypatch.setattr(grp, "getgrnam", {"staff": staff}.__getitem__)
    assert names("ann", groups=("staff", "no-such-group")) == ["ann", "joanna"]
    assert names("many", groups=("staff",)) == []
    assert names("ann", groups=("no-such-group",)) == []


def test_an_exact_name_tells_nothing_else() -> None:
    directory = Directory(Terms("/shared", "/rpc.sock"), 1002)
    found = directory.exactly("ann")
    assert found is not None
    assert found.described() == {"name": "ann", "full_name": ""}
    for query in ("an", "Ann", "ann ", "root", "", "x" * 300, "--all", "ben"):
        assert directory.exactly(query) is None


def test_whoever_is_gone_keeps_a_name() -> None:
    assert person("gone").described() == {"name": "gone", "full_name": "gone"}
    assert person("ann").full_name == "Ann Lovelace"


@pytest.mark.parametrize(
    "told", ["", "{", "[]", "{}", '{"folder":"x","root":"","minimum_uid":1,"groups":[]}', '{"folder":"/x"}']
)
def test_terms_that_are_none(told: str) -> None:
    assert terms_of({"RS_SHARING": told, "RS_SERVER_RPC_SOCKET_PATH": "/run/rpc.sock"}) is None
    whole = '{"folder":"/x","root":"","minimum_uid":1000,"groups":["r"]}'
    assert terms_of({"RS_SHARING": whole}) is None
    assert terms_of({"RS_SHARING": whole, "RS_SERVER_RPC_SOCKET_PATH": "/s"}) == Terms("/x", "/s", "", 1000, ("r",))

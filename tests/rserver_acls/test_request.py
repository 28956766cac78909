"""Requests that are not to be carried out change nothing."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from rserver_acls.refusal import BadRequest
from rserver_acls.request import MAX_MEMBERS, MAX_PATH, MAX_REQUEST, Request, parse
from tests.rserver_acls.projects import Shared, own
from tests.system.accounts import Account

GOOD = {"version": 1, "action": "share", "project_dir": "/home/bob/trees", "owner": "bob", "members": ["alice"]}


def test_a_good_one() -> None:
    assert parse(json.dumps(GOOD).encode()) == Request("share", "/home/bob/trees", "bob", ("alice",))


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"version": True},
        {"version": "1"},
        {"action": "chmod"},
        {"action": None},
        {"action": ["share"]},
        {"owner": ""},
        {"owner": "-R"},
        {"owner": "../bob"},
        {"owner": 0},
        {"owner": "bob\n"},
        {"members": []},
        {"members": "alice"},
        {"members": [1]},
        {"members": ["alice", "alice"]},
        {"members": ["alice", "bob"]},
        {"members": ["a b"]},
        {"members": [f"a{number}" for number in range(MAX_MEMBERS + 1)]},
        {"project_dir": ""},
        {"project_dir": "trees"},
        {"project_dir": "/"},
        {"project_dir": "/home/bob/trees/"},
        {"project_dir": "/home//bob"},
        {"project_dir": "/home/bob/../eve"},
        {"project_dir": "/home/bob/./trees"},
        {"project_dir": "/home/bob/\0"},
        {"project_dir": "/" + "x" * MAX_PATH},
        {"project_dir": "/home/\ud800"},
        {"project_dir": ["/home/bob"]},
        {"more": 1},
    ],
)
def test_a_field_that_is_wrong(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        parse(json.dumps({**GOOD, **fields}).encode())


@pytest.mark.parametrize("name", GOOD)
def test_a_field_that_is_missing_or_there_twice(name: str) -> None:
    with pytest.raises(BadRequest):
        parse(json.dumps({key: value for key, value in GOOD.items() if key != name}).encode())
    with pytest.raises(BadRequest):
        parse(json.dumps(GOOD).encode()[:-1] + f', "{name}": {json.dumps(GOOD[name])}}}'.encode())


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"null", b"[" * 60_000, b"1e999", json.dumps(GOOD).encode()[:-1]]
)
def test_what_is_no_request(content: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(content)


def test_any_bytes_give_a_request_or_the_one_error() -> None:
    """Good requests with bytes changed, left out, put in."""
    rng = random.Random(7)
    for _ in range(5_000):
        content = bytearray(json.dumps(GOOD).encode())
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(content))
            content[place : place + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        try:
            parse(bytes(content))
        except BadRequest:
            continue


@pytest.mark.root
def test_refusals_change_nothing(shared: Shared, alice: Account, eve: Account) -> None:
    home, before = shared.owner.home, shared.dump()
    (home / "away").symlink_to(alice.home)
    (home / "link").symlink_to("trees")
    (home / "file").touch()
    own(shared.owner, home)
    (alice.home / "hers").mkdir(exist_ok=True)
    (home / "roots").mkdir()
    before = shared.dump()
    expected = {
        ("share", str(home)): (1, "outside"),
        ("share", str(alice.home / "hers")): (1, "outside"),
        ("share", "/etc/ssl"): (1, "outside"),
        ("share", "/tmp"): (1, "outside"),
        ("share", str(home / "away" / "hers")): (1, "symlink"),
        ("share", str(home / "link")): (1, "symlink"),
        ("share", str(home / "link" / "data")): (1, "symlink"),
        ("share", str(home / "file")): (1, "symlink"),
        ("share", str(home / "nowhere")): (1, "absent"),
        ("share", str(home / "roots")): (1, "not_owner"),
        ("share", str(home / "a" / ".." / "trees")): (2, "bad_request"),
        ("refresh", str(shared.folder)): (1, "not_shared"),
        ("status", str(shared.folder)): (1, "not_shared"),
    }
    for (action, path), code in expected.items():
        assert shared.refusal(action, alice, project_dir=path) == code, path
    for member in ("root", "daemon", "nobody", "no-such-account"):
        assert shared.refusal("share", member) == (1, "unknown_user")
    assert shared.refusal("share", alice, owner="root") == (1, "unknown_user")
    assert shared.refusal("share", alice, owner=eve.name) == (1, "outside")
    assert shared.refusal("share", alice, padding="x" * MAX_REQUEST) == (2, "bad_request")
    assert shared.dump() == before
    assert {path.suffix for path in shared.state.iterdir()} <= {".lock", ".lists"}
    assert all(path.stat().st_size == 0 for path in shared.state.iterdir())


@pytest.mark.root
def test_below_the_folder_for_sharing(shared: Shared, alice: Account, tmp_path: Path) -> None:
    """Nothing above the project is touched there."""
    root = Path("/tmp") / f"rsa-root-{os.getpid()}"
    project = root / "team" / "trees"
    project.mkdir(parents=True)
    try:
        os.chown(project, shared.owner.uid, shared.owner.gid)
        shared.argv.append(f"--sharing-root={root}")
        assert shared.run("share", alice, project_dir=str(project))["changed"] == 1
        assert os.listxattr(project.parent) == []
        assert shared.run("unshare", alice, project_dir=str(project))["changed"] == 1
        assert os.listxattr(project) == []
    finally:
        project.rmdir()
        project.parent.rmdir()
        root.rmdir()

"""The worker of a real server has access to a project changed: real master, real helper, a worker without rights."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rserver_acls.projects import as_user, getfacl, make_folder
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = pytest.mark.root


@pytest.fixture
def master() -> Iterator[RunningServer]:
    program = Path(__file__).with_name("other_worker.py")
    with running_server(prefix=[sys.executable, "-I", "-S", str(program)]) as running:
        yield running


def asked(master: RunningServer, **request: Any) -> dict[str, Any]:
    """The master's answer to one request of its worker."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(master.lib_dir / "db" / "worker.sock"))
        with client.makefile("rw") as lines:
            lines.write(json.dumps({"id": 5, "op": "acls", "request": request}) + "\n")
            lines.flush()
            return next(message for message in map(json.loads, lines) if "id" in message)


def test_share_and_unshare_through_the_master(master: RunningServer, alice: Account, bob: Account) -> None:
    folder = make_folder(bob)
    before = getfacl(bob.home)
    request = {"project_dir": str(folder), "owner": bob.name, "members": [alice.name]}
    answer = asked(master, action="share", **request)
    assert (answer["id"], answer["result"]["members"]) == (5, [alice.name])
    assert as_user(alice, "cat", str(folder / "data" / "secret.csv")).returncode == 0
    state = master.lib_dir / "acls"
    assert (state.stat().st_uid, state.stat().st_mode & 0o777) == (0, 0o700)
    assert asked(master, action="unshare", **request)["result"]["members"] == []
    assert getfacl(bob.home) == before


def test_a_worker_under_foreign_control_gets_refusals(master: RunningServer, alice: Account, bob: Account) -> None:
    folder = make_folder(bob)
    before = getfacl(bob.home)
    good = {"action": "share", "project_dir": str(folder), "owner": bob.name, "members": [alice.name]}
    for fields, code in (
        ({"owner": alice.name, "members": [bob.name]}, "outside"),
        ({"project_dir": "/etc"}, "outside"),
        ({"project_dir": f"{bob.home}/trees/../.."}, "bad_request"),
        ({"owner": "root"}, "unknown_user"),
        ({"members": ["root"]}, "unknown_user"),
        ({"owner": "--state=/tmp"}, "bad_request"),
        ({"version": 2}, "bad_request"),
        ({"more": "x" * 70_000}, "bad_request"),
        ({"members": "alice"}, "bad_request"),
    ):
        assert asked(master, **{**good, **fields})["error"]["code"] == code, fields
    assert getfacl(bob.home) == before

"""Sharing a project through a whole real server: owner, members, the files that tell of it, revocation."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rserver_core.session_id import owner_digits
from tests.rserver_acls.projects import as_user
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer
from tests.system.test_projects import folder_of, opened, signed_in, until

pytestmark = [pytest.mark.root, pytest.mark.r]


@pytest.fixture(scope="module")
def ann() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def ben() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def cleo() -> Iterator[Account]:
    with account() as made:
        yield made


class Person:
    """Somebody with a session in a project."""

    def __init__(self, server: RunningServer, who: Account, project: Path | str) -> None:
        self.who, self.visitor = who, signed_in(server, who)
        self.init = opened(self.visitor, str(project))

    def share(self, *members: Account) -> dict[str, Any]:
        """What the end of the change tells."""
        self.visitor.rpc("sharing_set_members", [member.name for member in members])
        return self.wait("sharing_done")

    def wait(self, type_: str) -> dict[str, Any]:
        """The data of the next event of a type."""
        return dict(self.visitor.wait_for(lambda event: event["type"] == type_)[-1]["data"])

    def state(self) -> dict[str, Any]:
        return dict(self.visitor.rpc("sharing_state"))

    def members(self) -> list[str]:
        return [member["name"] for member in self.state()["members"]]

    def shared_with_me(self) -> list[dict[str, Any]]:
        return list(self.visitor.rpc("shared_with_me")["projects"])


def magic_files(server: RunningServer) -> list[Path]:
    return sorted((server.lib_dir / "shared-storage" / "shared-projects").glob("*.proj"))


def lists(*paths: Path) -> bytes:
    """Access control lists of these, without those below."""
    return subprocess.run(["getfacl", "-n", "-p", *map(str, paths)], capture_output=True, check=True).stdout


def test_a_project_is_shared_opened_and_withdrawn(
    server: RunningServer, ann: Account, ben: Account, cleo: Account
) -> None:
    folder = folder_of(ann, "trees", 0o700)
    ann.home.chmod(0o700)
    (folder / "model.R").write_text("x <- 1\n")
    os.chown(folder / "model.R", ann.uid, ann.gid)
    objects = (ann.home, folder, folder / "model.R", folder / "trees.Rproj")
    before = lists(*objects)
    owner = Person(server, ann, folder)
    state = owner.state()
    assert (state["supported"], state["mine"], state["members"], state["owner"]["name"]) == (True, True, [], ann.name)
    watcher = Person(server, ben, "")
    assert watcher.shared_with_me() == []

    done = owner.share(ben)
    assert done["members"] == [ben.name]
    assert owner.members() == [ben.name]
    told = watcher.wait("shared_with_me_changed")["projects"]
    assert [(each["name"], each["project_dir"], each["owner"]) for each in told] == [("trees", str(folder), ann.name)]
    home = watcher.visitor.get("/api/shared-projects").json()["projects"]
    assert home == told
    assert signed_in(server, cleo).get("/api/shared-projects").json() == {"projects": []}

    (magic,) = magic_files(server)
    content = json.loads(magic.read_text())
    assert magic.name[:5] == owner_digits(ann.uid)
    assert (content["project_dir"], content["project_owner"]) == (str(folder), ann.name)
    assert (content["shared_with"], content["updated_by"]) == ([ben.name], ann.name)
    assert content["share_times"][0]["user"] == ben.name
    assert stat.S_IMODE(magic.parent.stat().st_mode) & (stat.S_ISVTX | stat.S_IWOTH) == stat.S_ISVTX
    assert [as_user(who, "cat", str(magic)).returncode for who in (ann, ben, cleo)] == [0, 0, 1]

    member = Person(server, ben, told[0]["project_dir"])
    assert member.visitor.session_path[8:16] == magic.name[5:13]
    state = member.state()
    assert (state["supported"], state["mine"], state["owner"]["name"]) == (True, False, ann.name)
    until(lambda: [each["user"] for each in owner.visitor.rpc("get_presence")["people"]] == [ben.name])
    until(lambda: [each["user"] for each in member.visitor.rpc("get_presence")["people"]] == [ann.name])
    until(lambda: owner.state()["members"][0]["here"])
    document = member.visitor.rpc("open_document", str(folder / "model.R"))
    member.visitor.rpc("update_document", document["id"], document["revision"], 0, 0, "kept <- 2\n")
    member.visitor.run("mine <- 42")

    assert owner.share()["members"] == []
    revoked = member.wait("sharing_revoked")
    assert (revoked["project"], revoked["by"]) == ("trees", ann.name)
    assert revoked["unsaved"] == [{"id": document["id"], "name": "model.R"}]
    assert member.visitor.rpc("get_project")["open"] is None
    assert "42" in member.visitor.run("mine")
    assert str(ben.home) in member.visitor.run("getwd()")
    saved = member.visitor.rpc("sharing_save_copies", revoked["folder"])
    assert [each["id"] for each in saved["saved"]] == [document["id"]]
    assert (ben.home / "trees (unsaved)" / "model.R").read_text() == "kept <- 2\nx <- 1\n"
    assert member.shared_with_me() == []
    assert member.visitor.get("/api/shared-projects").json() == {"projects": []}
    until(lambda: owner.visitor.rpc("get_presence")["people"] == [])
    assert magic_files(server) == []
    assert as_user(ben, "ls", str(folder)).returncode != 0
    assert lists(*objects) == before

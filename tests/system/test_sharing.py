"""Sharing a project through a whole real server: owner, members, the files that tell of it, revocation."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_core.session_id import owner_digits
from tests.filebase.socket_member import SocketMember
from tests.rserver_acls.projects import as_user
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer
from tests.system.sharing_people import Person, lists, magic_files
from tests.system.test_collaborative_editing import Editor
from tests.system.test_projects import folder_of, opened, signed_in, state_of, until
from tests.system.visitor import Visitor

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

    (magic,) = magic_files(server, ann)
    content = json.loads(magic.read_text())
    assert magic.name[:5] == owner_digits(ann.uid)
    assert (content["project_dir"], content["project_owner"]) == (str(folder), ann.name)
    assert (content["shared_with"], content["updated_by"]) == ([ben.name], ann.name)
    assert content["project_file"] == str(folder / "trees.Rproj")
    assert content["share_times"][0]["user"] == ben.name
    assert stat.S_IMODE(magic.parent.stat().st_mode) & (stat.S_ISVTX | stat.S_IWOTH) == stat.S_ISVTX
    assert [as_user(who, "cat", str(magic)).returncode for who in (ann, ben, cleo)] == [0, 0, 1]

    member = Person(server, ben, told[0]["project_dir"])
    assert member.visitor.session_path[8:16] == magic.name[5:13]
    for person, trusted in ((member, folder), (owner, "")):
        assert f'"{trusted}"' in person.visitor.run("Sys.getenv('GIT_CONFIG_VALUE_0')")
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
    assert magic_files(server, ann) == []
    assert as_user(ben, "ls", str(folder)).returncode != 0
    assert lists(*objects) == before


def file_in(folder: Path, name: str, who: Account, text: str = "x <- 1\n") -> Path:
    path = folder / name
    path.write_text(text)
    os.chown(path, who.uid, who.gid)
    return path


def test_members_come_and_go_one_by_one(server: RunningServer, ann: Account, ben: Account, cleo: Account) -> None:
    folder = folder_of(ann, "three", 0o700)
    file_in(folder, "a.R", ann)
    owner = Person(server, ann, folder)
    assert owner.share(ben)["members"] == [ben.name]
    times = json.loads(magic_files(server, ann)[0].read_text())["share_times"]
    assert owner.share(ben, cleo)["members"] == sorted([ben.name, cleo.name])
    assert times[0] in json.loads(magic_files(server, ann)[0].read_text())["share_times"]
    assert [as_user(who, "cat", str(folder / "a.R")).returncode for who in (ben, cleo)] == [0, 0]
    one, two = Person(server, ben, folder), Person(server, cleo, folder)
    until(lambda: {each["user"] for each in two.visitor.rpc("get_presence")["people"]} == {ann.name, ben.name})
    # A file that the owner closed while it was shared: the same members once more repair it.
    (folder / "a.R").chmod(0o600)
    # One that a member closed, which its owner cannot open herself.
    one.visitor.run(f"file.create('{folder}/b.R'); Sys.chmod('{folder}/b.R', '600', use_umask = FALSE)")
    assert as_user(ben, "cat", str(folder / "a.R")).returncode != 0
    assert as_user(ann, "cat", str(folder / "b.R")).returncode != 0
    owner.share(ben, cleo)
    assert as_user(ben, "cat", str(folder / "a.R")).returncode == 0
    assert [as_user(who, "cat", str(folder / "b.R")).returncode for who in (ann, cleo)] == [0, 0]

    one.visitor.rpc("sharing_leave")
    revoked = one.wait("sharing_revoked")
    assert (revoked["by"], revoked["unsaved"]) == (ben.name, [])
    assert one.wait("sharing_done")["members"] == [cleo.name]
    assert owner.members() == [cleo.name]
    assert [as_user(who, "cat", str(folder / "a.R")).returncode == 0 for who in (ben, cleo)] == [False, True]
    assert two.state()["supported"]

    listed = two.visitor.get("/api/shared-projects").json()["projects"]
    place = f"/api/shared-projects/{ann.name}/{listed[0]['id']}"
    other = signed_in(server, ben)
    assert other.request("DELETE", place, headers=token(other)).status == 404
    assert two.visitor.request("DELETE", place).status == 403
    assert two.visitor.request("DELETE", place, headers=token(two.visitor)).status == 204
    assert two.wait("sharing_revoked")["by"] == cleo.name
    until(lambda: owner.members() == [])
    assert magic_files(server, ann) == []


def token(visitor: Visitor) -> dict[str, str]:
    return {"X-RS-CSRF-Token": visitor.cookies["rs-csrf-token"]}


def test_who_is_suspended_meanwhile_is_told_when_he_comes_back(
    server: RunningServer, ann: Account, ben: Account
) -> None:
    folder = folder_of(ann, "later", 0o700)
    owner, member = Person(server, ann, folder), Person(server, ben, "")
    owner.share(ben)
    member = Person(server, ben, folder)
    member.visitor.run("kept <- 4711")
    url = member.visitor.session_path
    member.visitor.post_json(f"/api/sessions/{url.split('/')[2]}/suspend", {})
    until(lambda: state_of(member.visitor, url) == "suspended")
    owner.share()
    error = opened(member.visitor, str(folder), reuse=True)
    assert error["session"]["code"] == 204
    assert f"{ann.name} does not share it with you any more." in error["session"]["cause"]
    resume = f"/api/sessions/{url.split('/')[2]}/resume"
    assert member.visitor.post_json(resume, {"in_project": False}).status == 202
    member.visitor.init()
    assert "4711" in member.visitor.run("kept")
    assert member.visitor.rpc("get_project")["open"] is None


def test_a_shared_text_is_left_with_the_project(server: RunningServer, ann: Account, ben: Account) -> None:
    """The connection to another's text ends at once, and none is let in any more."""
    folder = folder_of(ann, "texts", 0o700)
    file_in(folder, "analysis.R", ann, "one\n")
    owner = Person(server, ann, folder)
    owner.share(ben)
    first = Editor(server, ann, folder)
    # Hers is the newest text: her session keeps it.
    first.visitor.rpc("update_document", first.document["id"], first.document["revision"], 0, 0, "")
    editors = [first, Editor(server, ben, folder)]
    keeper = first.server_of_text()
    members = [editor.join(keeper) for editor in editors]
    for member in members:
        member.until(lambda page: page.ready and str(page) == "one\n")
    members[1].do(lambda page: page.edit(0, 0, "zero\n"))
    members[0].until(lambda page: str(page) == "zero\none\n")
    owner.share()
    assert members[1].until_closed()
    second = editors[1]
    path = f"{second.visitor.session_path}collab/{keeper}"
    again = SocketMember(server.port, path, ben.name, second.headers)
    again.until_closed()
    assert (again.refused, again.page.ready) == (404, False)
    for connection in (*members, again):
        connection.close()


def test_a_project_that_was_moved_while_it_was_shared(server: RunningServer, ann: Account, ben: Account) -> None:
    """Its owner is told who still gets in, and taking it back ends that."""
    before = lists(ann.home)
    folder = folder_of(ann, "wandering", 0o700)
    plain = lists(folder)
    Person(server, ann, folder).share(ben)
    new = folder.rename(folder.with_name("settled"))
    owner = Person(server, ann, new)
    told = owner.state()["unfinished"]
    assert (told["members"], ben.name in told["sentence"]) == ([], True)
    assert len(magic_files(server, ann)) == 1
    assert owner.share()["members"] == []
    assert owner.state()["unfinished"] is None
    assert magic_files(server, ann) == []
    new.rename(folder)
    assert (lists(folder), lists(ann.home)) == (plain, before)

"""Malicious members, sessions and requests against sharing: they get errors, and nothing changes."""

import json
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rserver_core.frame import encode, greeting
from rserver_core.session_id import owner_digits
from rserver_core.shared_project import SharedProject
from rserver_core.shared_project import encode as encoded
from tests.rserver_acls.projects import as_user
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer
from tests.system.sharing_people import Person, asked, lists, magic_files, magic_folder, raw
from tests.system.test_projects import folder_of, signed_in, until

pytestmark = [pytest.mark.root, pytest.mark.r]


class Scene:
    """ann shares a project with ben; cleo has nothing to do with it. All three have sessions."""

    def __init__(self, server: RunningServer, ann: Account, ben: Account, cleo: Account) -> None:
        self.server, self.folder = server, folder_of(ann, "trees", 0o700)
        self.ann = Person(server, ann, self.folder)
        self.ann.share(ben)
        self.ben, self.cleo = Person(server, ben, self.folder), Person(server, cleo, "")
        self.objects = (ann.home, self.folder, self.folder / "trees.Rproj", ben.home, cleo.home)

    def all_there_is(self) -> tuple[bytes, dict[str, str], list[str]]:
        """Access control lists, files about projects, members."""
        magic = {path.name: path.read_text() for path in magic_files(self.server, self.ann.who)}
        return lists(*self.objects), magic, self.ann.members()


@pytest.fixture(scope="module")
def scene(server: RunningServer) -> Iterator[Scene]:
    with account() as ann, account() as ben, account() as cleo:
        yield Scene(server, ann, ben, cleo)


@pytest.fixture(autouse=True)
def nothing_changes(scene: Scene) -> Iterator[None]:
    before = scene.all_there_is()
    yield
    assert scene.all_there_is() == before


def test_a_member_shares_no_further(scene: Scene) -> None:
    answer = scene.ben.visitor.rpc_answer("sharing_set_members", [scene.cleo.who.name])
    assert (answer["error"]["code"], answer["error"]["message"]) == (10, "Only the owner of a project can share it.")
    # The same past the session's own checks: the server has the helper look whose folder that is.
    answer = asked(
        scene.server, scene.ben, "share_members", project_dir=str(scene.folder), members=[scene.cleo.who.name]
    )
    assert answer["error"]["code"] == 10
    assert "home" in answer["error"]["message"]
    assert as_user(scene.cleo.who, "ls", str(scene.folder)).returncode != 0


def test_texts_in_no_file_are_their_writers_own(scene: Scene) -> None:
    """Neither in the project, where members read, nor led away by a link that a member puts there."""
    kept, trap, away = scene.folder / ".Rproj.user", scene.ben.who.home / "led-here", scene.ben.who.home / "away"
    scene.ann.visitor.rpc("new_document", "r", "my first draft")
    swap = f"mkdir -m 777 {trap} && mv {kept} {away} && ln -s {trap} {kept}"
    assert as_user(scene.ben.who, "sh", "-c", swap).returncode == 0
    document = scene.ann.visitor.rpc("new_document", "r", "my second draft")
    scene.ann.visitor.rpc("update_document", document["id"], document["revision"], 0, 0, "now ")
    places = (trap, away, scene.folder)
    assert as_user(scene.ben.who, "grep", "-rl", "my .* draft", *map(str, places)).stdout == ""
    assert not list(trap.iterdir())
    texts = [path.read_text() for path in (scene.ann.who.home / ".local/share/rstudio/sources").rglob("*-contents")]
    assert sorted(texts) == ["my first draft", "now my second draft"]
    assert as_user(scene.ben.who, "sh", "-c", f"rmdir {trap} && rm {kept} && mv {away} {kept}").returncode == 0


def test_a_stranger_neither_leaves_nor_learns(scene: Scene) -> None:
    place = {"project_dir": str(scene.folder)}
    assert asked(scene.server, scene.cleo, "share_leave", **place)["error"]["message"] == (
        "You are no member of this project."
    )
    assert asked(scene.server, scene.cleo, "share_state", **place)["result"] == {"owner": None, "by": ""}
    assert asked(scene.server, scene.cleo, "share_cancel", **place)["error"]["message"] == "Nothing is being changed."
    home = scene.cleo.visitor.get("/api/shared-projects").json()
    assert home == {"projects": []}
    assert signed_in(scene.server, scene.cleo.who).get("/api/shared-projects").status == 200
    assert scene.cleo.visitor.rpc_answer("sharing_leave")["error"]["code"] == 10


def test_nobody_speaks_for_the_session_of_another(scene: Scene) -> None:
    session = scene.ann.visitor.session_path.split("/")[2]
    frames = (
        encode(greeting("session", session=session)),
        encode({"id": 1, "op": "share_members", "project_dir": str(scene.folder), "members": [scene.cleo.who.name]}),
    )
    assert raw(scene.server, scene.ben.who, *frames) == []
    # Nor do accounts that have no session at all.
    with account() as nobody:
        assert raw(scene.server, nobody, *frames) == []


def test_a_session_is_not_made_to_leave_its_own_project(scene: Scene) -> None:
    answer = scene.ann.visitor.rpc_answer("sharing_leave_project", scene.ben.who.name)
    assert answer["error"]["code"] == 10
    assert scene.ann.visitor.rpc("get_project")["open"]["name"] == "trees"


@pytest.mark.parametrize(
    "members",
    [["root"], ["daemon"], ["no-such-account"], ["rstudio-server"]],
)
def test_who_cannot_be_a_member_is_refused_in_one_way(scene: Scene, members: list[str]) -> None:
    """An account that there is not is refused as one that may not take part."""
    answer = scene.ann.visitor.rpc_answer("sharing_set_members", members)
    assert answer["error"] == {
        "code": 10,
        "message": f"The project cannot be shared with {members[0]}: there is no such account here, "
        "or it may not use it.",
    }


def test_the_owner_is_no_member(scene: Scene) -> None:
    answer = scene.ann.visitor.rpc_answer("sharing_set_members", [scene.ann.who.name])
    assert answer["error"]["code"] == 10


@pytest.mark.parametrize("members", ["ben", None, 7, [1], [["x"]], ["a/b"], ["--all"], ["x" * 300], ["a"] * 201, [""]])
def test_members_that_are_no_names(scene: Scene, members: Any) -> None:
    place = {"project_dir": str(scene.folder)}
    assert asked(scene.server, scene.ann, "share_members", members=members, **place)["error"]["code"] == 10
    assert "error" in scene.ann.visitor.rpc_answer("sharing_set_members", members)


@pytest.mark.parametrize(
    "folder",
    [None, 5, "", "trees", "/", "/etc", "/root", "/tmp", "/home", "/x\0y", "/" + "x" * 5000, "~/trees"],
)
def test_folders_that_are_not_the_owners(scene: Scene, folder: Any) -> None:
    fields = {"project_dir": folder, "members": [scene.cleo.who.name]}
    assert "error" in asked(scene.server, scene.ben, "share_members", **fields)


def test_ways_around_to_a_folder_of_somebody_else(scene: Scene) -> None:
    home = scene.ben.who.home
    trap = home / "trap"
    trap.symlink_to(scene.folder)
    os.lchown(trap, scene.ben.who.uid, scene.ben.who.gid)
    for folder in (trap, f"{home}/../{scene.ann.who.name}/trees", home, f"{home}/absent", f"{home}//x", f"{home}/./x"):
        fields = {"project_dir": str(folder), "members": [scene.cleo.who.name]}
        assert "error" in asked(scene.server, scene.ben, "share_members", **fields), folder
    trap.unlink()


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        struct.pack(">I", 1 << 31),
        struct.pack(">I", 3) + b"{}x",
        struct.pack(">I", 2) + b"[]",
        encode({"version": [9, 0], "role": "session"}),
        encode({"version": [1, 0], "role": "worker"}),
        encode(greeting("session", session=["x"])),
        encode(greeting("session", session="0" * 21)),
        b"\0" * 200_000,
    ],
)
def test_what_is_no_request_is_hung_up_on(scene: Scene, content: bytes) -> None:
    assert raw(scene.server, scene.ben.who, content) == []


def test_one_connection_brings_one_request(scene: Scene) -> None:
    session = scene.ben.visitor.session_path.split("/")[2]
    hello, state = greeting("session", session=session), {"id": 1, "op": "share_state", "project_dir": "/x"}
    for frames in (
        (encode(hello), encode(state), encode({**state, "id": 2})),
        (encode(hello), encode({"op": "share_state"})),
        (encode(hello), encode({**state, "op": "no such"})),
    ):
        answers = raw(scene.server, scene.ben.who, *frames)
        assert [each for each in answers if "result" in each and each["id"] == 2] == []
    big = encode(hello) + encode({**state, "project_dir": "/" + "x" * 150_000})
    assert [each for each in raw(scene.server, scene.ben.who, big) if "id" in each] == []


def forged(scene: Scene, **changes: Any) -> bytes:
    """A file that would show ann's project to cleo."""
    told = SharedProject("0badcafe", str(scene.folder), scene.ann.who.name, {scene.cleo.who.name: 1.0})
    return json.dumps({**json.loads(encoded(told)), **changes}).encode()


Plant = Callable[[Scene, Path, Path], None]


def by_member(scene: Scene, path: Path, _: Path) -> None:
    path.write_bytes(forged(scene))
    os.chown(path, scene.ben.who.uid, scene.ben.who.gid)


def by_owner(scene: Scene, path: Path, _: Path) -> None:
    path.write_bytes(forged(scene))
    os.chown(path, scene.ann.who.uid, scene.ann.who.gid)


def link(scene: Scene, path: Path, elsewhere: Path) -> None:
    elsewhere.write_bytes(forged(scene))
    path.symlink_to(elsewhere)


def of_server(content: Callable[[Scene], bytes]) -> Plant:
    def plant(scene: Scene, path: Path, elsewhere: Path) -> None:
        server = magic_folder(scene.server).stat()
        elsewhere.write_bytes(content(scene))
        os.chown(elsewhere, server.st_uid, server.st_gid)
        elsewhere.chmod(0o644)
        elsewhere.rename(path)

    return plant


def hard_link(scene: Scene, path: Path, elsewhere: Path) -> None:
    of_server(forged)(scene, path, elsewhere)
    os.link(path, path.with_suffix(".second"))


def writable(scene: Scene, path: Path, elsewhere: Path) -> None:
    of_server(forged)(scene, path, elsewhere)
    path.chmod(0o666)


PLANTS: dict[str, tuple[Plant, str]] = {
    "by a member": (by_member, "not written by the server"),
    "by the owner": (by_owner, "not written by the server"),
    "a link": (link, "no regular file"),
    "a hard link": (hard_link, "has other links"),
    "writable by others": (writable, "others than the server may write it"),
    "no JSON": (of_server(lambda _: b"{"), "no JSON"),
    "huge": (of_server(lambda scene: forged(scene) + b" " * (1 << 18)), "larger than"),
    "another owner": (
        of_server(lambda scene: forged(scene, project_owner=scene.ben.who.name)),
        "does not belong to the owner",
    ),
    "an owner without account": (of_server(lambda scene: forged(scene, project_owner="gone")), "no account"),
    "stale": (of_server(lambda scene: forged(scene, project_dir="/home/nobody-is-here/x")), "is not there"),
    "of somebody else's folder": (
        of_server(lambda scene: forged(scene, project_dir="/usr")),
        "belong to its owner any",
    ),
}


def is_empty(scene: Scene) -> bool:
    return bool(scene.cleo.visitor.get("/api/shared-projects").json() == {"projects": []})


def test_forged_and_stale_files_are_ignored_with_a_reason(scene: Scene) -> None:
    folder, prefix = magic_folder(scene.server), owner_digits(scene.ann.who.uid)
    before, known = len(scene.server.lines), set(folder.iterdir())
    try:
        for number, (plant, _) in enumerate(PLANTS.values()):
            plant(scene, folder / f"{prefix}0badcaf{number:x}.proj", folder / f".planted{number}")
        # Stale ones are told by their folder, all others by the name of the file.
        reasons = {f"0badcaf{number:x}.proj": reason for number, (_, reason) in enumerate(PLANTS.values())}
        until(lambda: is_empty(scene) and all(told(scene, before, *each) for each in reasons.items()), 30)
        assert scene.cleo.shared_with_me() == []
    finally:
        for path in set(folder.iterdir()) - known:
            path.unlink()


def told(scene: Scene, before: int, name: str, reason: str) -> bool:
    lines = [line for line in scene.server.lines[before:] if "shared project" in line and reason in line]
    return any(name in line or "is not listed" in line for line in lines)


def test_users_cannot_write_where_the_files_are(scene: Scene) -> None:
    folder = magic_folder(scene.server)
    (own,) = magic_files(scene.server, scene.ann.who)
    for who in (scene.ben.who, scene.ann.who, scene.cleo.who):
        script = (
            f"touch {folder}/x; rm -f {own}; mv {own} {own}.old; echo >> {own}; ln {own} {folder}/y; chmod 666 {own}"
        )
        as_user(who, "sh", "-c", script)
    assert own.stat().st_nlink == 1
    assert not (folder / "x").exists()

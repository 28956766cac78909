"""A tree with everything in it that can go wrong; oracles: getfacl's dump, and pylibacl."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import posix1e
import pytest

from tests.rserver_acls.projects import BOTH_WALKS, Shared, as_user, getfacl, names_of, own, setfacl
from tests.system.accounts import Account

pytestmark = [pytest.mark.root, BOTH_WALKS]


@pytest.fixture
def nasty(shared: Shared, eve: Account) -> Iterator[Shared]:
    """The project with all kinds of objects, modes and lists; what is immutable is so until the end."""
    top = shared.folder
    for odd in (b"line\nbreak", b"\xff\xfe not utf-8", b"-m", b" ", b"\\", b"caf\xc3\xa9", b"x" * 255):
        Path(os.fsdecode(os.path.join(os.fsencode(top), odd))).write_text("x")
    for mode in (0o000, 0o400, 0o500, 0o600, 0o644, 0o755, 0o777, 0o2755, 0o4755, 0o1777):
        (top / f"file-{mode:o}").touch()
        (top / f"file-{mode:o}").chmod(mode)
        (top / f"folder-{mode:o}").mkdir()
        (top / f"folder-{mode:o}" / "inside").write_text("x")
    (top / "link-out").symlink_to("/etc")
    (top / "link-file").symlink_to("/etc/hostname")
    (top / "dangling").symlink_to("nowhere")
    os.mkfifo(top / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(top / "socket"))
    outside = shared.owner.home / "private"
    outside.write_text("one file, two names")
    outside.chmod(0o600)
    os.link(outside, top / "hard-link")
    deep = top
    for number in range(60):
        deep = deep / f"deep{number}"
    deep.mkdir(parents=True)
    own(shared.owner, shared.owner.home)
    # chown takes these bits away from files.
    for path in (*top.glob("file-*"), *top.glob("folder-*")):
        path.chmod(int(path.name.partition("-")[2], 8))
    _lists(top, eve)
    (top / "foreign").write_text("somebody else's")
    os.chown(top / "foreign", 1, 1)
    for name in ("immutable", "immutable-folder"):
        (top / name).mkdir() if "folder" in name else (top / name).touch()
        os.chown(top / name, shared.owner.uid, shared.owner.gid)
        subprocess.run(["chattr", "+i", str(top / name)], check=True)
    yield shared
    for name in ("immutable", "immutable-folder"):
        subprocess.run(["chattr", "-i", str(top / name)], check=True)
    listener.close()


def _lists(top: Path, eve: Account) -> None:
    """Lists as people make them."""
    for name in ("masked", "named", "group", "bare-mask", "full"):
        (top / name).touch()
        (top / f"{name}-folder").mkdir()
        for path in (top / name, top / f"{name}-folder"):
            os.chown(path, top.stat().st_uid, top.stat().st_gid)
    for suffix in ("", "-folder"):
        setfacl("-m", f"u:{eve.uid}:rwx,g:1:rwx,m::r", str(top / f"masked{suffix}"))
        setfacl("-m", f"u:{eve.uid}:r,u:2:---", str(top / f"named{suffix}"))
        setfacl("-m", "g:3:rw,g::---", str(top / f"group{suffix}"))
        setfacl("-m", "m::---", str(top / f"bare-mask{suffix}"))
    setfacl("-d", "-m", f"u:{eve.uid}:rwx,g:1:r,m::rx", str(top / "named-folder"))
    setfacl("-d", "-m", "o::---", str(top / "group-folder"))
    # ext4 holds 503 named users: these files have no room for one more.
    many = ",".join(f"u:{uid}:r" for uid in range(100_000, 100_503))
    setfacl("-m", many, str(top / "full"))
    setfacl("-m", many, str(top / "full-folder"))


def test_share_and_unshare_leave_no_trace(nasty: Shared, alice: Account) -> None:
    before = nasty.dump()
    answer = nasty.run("share", alice)
    assert nasty.dump() != before
    assert {"foreign", "hard-link", "immutable", "immutable-folder", "full", "full-folder"} == names_of(answer)
    assert nasty.run("unshare", alice)["members"] == []
    assert nasty.dump() == before
    assert sorted(path.suffix for path in nasty.state.iterdir()) == [".json", ".lock"]


def test_a_folder_of_thousands(shared: Shared, alice: Account) -> None:
    """Many more than one call of the kernel tells of."""
    for number in range(5_000):
        (shared.folder / f"file-{number}").touch()
    own(shared.owner, shared.folder)
    before = shared.dump()
    objects = shared.run("share", alice)["changed"]
    assert objects > 5_000
    assert shared.dump().count(f"user:{alice.uid}:rw") >= 5_000
    assert shared.run("refresh")["unchanged"] == objects
    assert shared.run("unshare", alice)["changed"] == objects
    assert shared.dump() == before


def test_members_come_and_go_one_by_one(nasty: Shared, alice: Account, eve: Account) -> None:
    """eve has entries of her own, which stay hers."""
    before = nasty.dump()
    nasty.run("share", alice)
    only_alice = nasty.dump()
    nasty.run("share", eve)
    nasty.run("unshare", eve)
    assert nasty.dump() == only_alice
    nasty.run("share", eve)
    nasty.run("unshare", alice)
    nasty.run("unshare", eve)
    assert nasty.dump() == before


def test_again_changes_nothing(nasty: Shared, alice: Account) -> None:
    nasty.run("share", alice)
    once = nasty.dump()
    for action in ("share", "refresh"):
        assert nasty.run(action, alice)["changed"] == 0
    # Who is immutable or full lacks something still.
    assert nasty.run("status", alice)["changed"] == 4
    assert nasty.dump() == once


def test_nobody_else_gains_or_loses(nasty: Shared, alice: Account, eve: Account) -> None:
    """Effective rights of everybody named before, as pylibacl reads them."""
    files = [nasty.folder / name for name in ("masked", "named", "group", "bare-mask", "masked-folder", "group-folder")]
    before = [_effective(path) for path in files]
    nasty.run("share", alice)
    for path, had in zip(files, before, strict=True):
        has = _effective(path)
        assert has.pop((posix1e.ACL_USER, alice.uid)) == had[posix1e.ACL_USER_OBJ, None]
        assert has == had, path


def _effective(path: Path) -> dict[tuple[int, int | None], int]:
    """Rights by kind and id, the mask taken out."""
    found, mask = dict[tuple[int, int | None], int](), 7
    for entry in posix1e.ACL(file=str(path)):
        rights = entry.permset.read << 2 | entry.permset.write << 1 | entry.permset.execute
        if entry.tag_type == posix1e.ACL_MASK:
            mask = rights
        else:
            is_named = entry.tag_type in (posix1e.ACL_USER, posix1e.ACL_GROUP)
            found[entry.tag_type, entry.qualifier if is_named else None] = rights
    unmasked = (posix1e.ACL_USER_OBJ, posix1e.ACL_OTHER)
    return {key: rights if key[0] in unmasked else rights & mask for key, rights in found.items()}


def test_members_have_the_owners_rights_and_no_more(nasty: Shared, alice: Account) -> None:
    nasty.run("share", alice)
    top = nasty.folder
    assert as_user(alice, "cat", str(top / "file-600")).returncode == 0
    assert as_user(alice, "sh", "-c", f"echo x >> '{top}/file-644'").returncode == 0
    assert as_user(alice, "sh", "-c", f"echo x >> '{top}/file-400'").returncode != 0
    assert as_user(alice, "ls", str(nasty.owner.home)).returncode != 0
    assert as_user(alice, "cat", str(nasty.owner.home / "private")).returncode != 0
    assert as_user(alice, "touch", str(top / "folder-755" / "made")).returncode == 0
    assert as_user(nasty.owner, "sh", "-c", f"echo x >> '{top}/folder-755/made'").returncode == 0
    nasty.run("unshare", alice)
    assert as_user(alice, "cat", str(top / "file-644")).returncode != 0
    assert as_user(nasty.owner, "cat", str(top / "folder-755" / "made")).returncode == 0


def test_setuid_and_setgid_bits_stay(nasty: Shared, alice: Account) -> None:
    paths = [*nasty.folder.glob("file-*"), *nasty.folder.glob("folder-*")]
    before = {path: path.stat().st_mode & 0o7000 for path in paths}
    nasty.run("share", alice)
    assert {path: path.stat().st_mode & 0o7000 for path in paths} == before
    nasty.run("unshare", alice)
    assert {path: path.stat().st_mode & 0o7000 for path in paths} == before


def test_what_a_past_member_made_is_taken_from_who_leaves_later(shared: Shared, alice: Account, eve: Account) -> None:
    """And nobody who comes later gets it, since alice no longer agrees to that."""
    shared.run("share", alice, eve)
    top = shared.folder
    for member in (alice, eve):
        assert (
            as_user(
                member, "sh", "-c", f"mkdir {top}/of-{member.uid} && echo x > {top}/of-{member.uid}/file"
            ).returncode
            == 0
        )
    assert shared.run("unshare", alice)["members"] == [eve.name]
    assert f"user:{eve.uid}:" in getfacl(top / f"of-{alice.uid}")
    answer = shared.run("unshare", eve)
    assert (answer["members"], answer["skipped"]) == ([], [])
    assert not {f"user:{alice.uid}:", f"user:{eve.uid}:"} & set(re.findall(r"user:[0-9]+:", shared.dump()))


def test_who_comes_back_is_a_member_as_before(shared: Shared, alice: Account, eve: Account) -> None:
    before = shared.dump()
    shared.run("share", alice, eve)
    both = shared.dump()
    for _ in range(2):
        shared.run("unshare", alice)
        assert shared.run("refresh")["members"] == [eve.name]
        shared.run("share", alice)
        assert shared.dump() == both
    shared.run("unshare")
    assert shared.dump() == before
    assert sorted(path.suffix for path in shared.state.iterdir()) == [".json", ".lock"]

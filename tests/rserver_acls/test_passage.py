"""The folders between home and project: passed by members for as long as a project needs it, and not looked into."""

import os
import shutil

import pytest

from tests.rserver_acls.projects import Shared, as_user, getfacl, make_folder, own, setfacl
from tests.system.accounts import Account, account

pytestmark = pytest.mark.root


def project(shared: Shared, *names: str) -> str:
    """One more project of the owner's, deeper in the home."""
    folder = shared.owner.home.joinpath(*names)
    folder.mkdir(parents=True)
    (folder / "file").write_text("x")
    folder.chmod(0o700)
    own(shared.owner, shared.owner.home)
    return str(folder)


def can_read(member: Account, folder: str) -> bool:
    return as_user(member, "cat", f"{folder}/file").returncode == 0


def test_counted_over_projects(shared: Shared, alice: Account, eve: Account) -> None:
    one, two = project(shared, "work", "a", "one"), project(shared, "work", "two")
    (shared.owner.home / "work").chmod(0o700)
    before = shared.dump()
    shared.run("share", alice, project_dir=one)
    only_one = shared.dump()
    shared.run("share", alice, eve, project_dir=two)
    assert [can_read(alice, one), can_read(alice, two), can_read(eve, one), can_read(eve, two)] == [1, 1, 0, 1]
    shared.run("unshare", alice, project_dir=two)
    assert [can_read(alice, one), can_read(alice, two), can_read(eve, two)] == [1, 0, 1]
    shared.run("unshare", eve, project_dir=two)
    assert shared.dump() == only_one
    shared.run("share", alice, project_dir=two)
    shared.run("unshare", alice, project_dir=one)
    assert [can_read(alice, one), can_read(alice, two)] == [0, 1]
    shared.run("unshare", project_dir=two)
    assert shared.dump() == before


def test_a_list_of_the_homes_own_comes_back(shared: Shared, alice: Account, eve: Account) -> None:
    home = shared.owner.home
    setfacl("-m", f"u:{eve.uid}:rwx,g:1:rx,m::r", str(home))
    before = shared.dump()
    shared.run("share", alice)
    assert as_user(alice, "cat", str(shared.folder / "a.R")).returncode == 0
    assert as_user(eve, "ls", str(home)).returncode == 0
    assert as_user(eve, "touch", str(home / "x")).returncode != 0
    shared.run("share", eve)
    assert as_user(eve, "ls", str(home)).returncode == 0
    shared.run("unshare", eve)
    shared.run("unshare", alice)
    assert shared.dump() == before


def test_a_home_that_is_open_stays_as_it_is(shared: Shared, alice: Account) -> None:
    """An entry with --x would take from alice what everybody has."""
    shared.owner.home.chmod(0o755)
    shared.run("share", alice)
    assert os.listxattr(shared.owner.home) == []
    assert as_user(alice, "ls", str(shared.owner.home)).returncode == 0
    shared.owner.home.chmod(0o700)
    assert as_user(alice, "cat", str(shared.folder / "a.R")).returncode != 0
    shared.run("refresh")
    assert as_user(alice, "cat", str(shared.folder / "a.R")).returncode == 0
    shared.run("unshare")
    assert os.listxattr(shared.owner.home) == []


def test_refresh_repairs(shared: Shared, alice: Account, eve: Account) -> None:
    """The owner's chmod shuts members out; a file from elsewhere brings its own mode."""
    shared.run("share", alice)
    (shared.folder / "a.R").chmod(0o600)
    moved = shared.owner.home / "moved"
    moved.write_text("x")
    moved.chmod(0o600)
    own(shared.owner, moved)
    moved.rename(shared.folder / "moved")
    assert as_user(alice, "cat", str(shared.folder / "a.R")).returncode != 0
    assert shared.run("status")["changed"] == 2
    assert shared.run("refresh")["changed"] == 2
    for name in ("a.R", "moved"):
        assert as_user(alice, "cat", str(shared.folder / name)).returncode == 0
        assert as_user(eve, "cat", str(shared.folder / name)).returncode != 0
    shared.run("unshare")
    assert (shared.folder / "a.R").stat().st_mode & 0o777 == 0o600


def test_what_others_changed_in_between_stays(shared: Shared, alice: Account, eve: Account) -> None:
    setfacl("-m", f"u:{eve.uid}:r", str(shared.folder / "a.R"))
    shared.run("share", alice)
    setfacl("-x", f"u:{eve.uid}", str(shared.folder / "a.R"))
    setfacl("-m", f"u:{eve.uid}:rw", str(shared.folder / "data" / "secret.csv"))
    shared.run("unshare")
    assert os.listxattr(shared.folder / "a.R") == []
    dump = shared.dump()
    assert dump.count(f"user:{eve.uid}:") == 1
    assert f"user:{alice.uid}:" not in dump


def test_a_deleted_member_is_sent_away(shared: Shared) -> None:
    """The books know the number, which the next account may get."""
    before = shared.dump()
    with account("rsa") as gone:
        shared.run("share", gone)
    assert shared.run("refresh")["members"] == [gone.name]
    shared.run("unshare", gone)
    assert shared.dump() == before


def test_a_project_that_is_gone_opens_no_way(shared: Shared, alice: Account, eve: Account) -> None:
    """It counts for nobody; found again elsewhere, everything in it is taken back."""
    home, before = shared.owner.home, shared.dump()
    two = make_folder(shared.owner, "two")
    plain, way = getfacl(two), getfacl(home).split("\n\n")[0]
    for members in ((alice,), (eve,)):
        shared.run("share", *members, project_dir=str(two))
    shared.run("share", alice)
    moved = two.rename(home / "moved")
    shared.run("unshare", alice)
    assert f"user:{alice.uid}:" not in getfacl(home).split("\n\n")[0]
    assert shared.refusal("unshare", project_dir=str(two)) == (1, "absent")
    shared.run("share", alice)
    assert f"user:{eve.uid}:" not in getfacl(home).split("\n\n")[0]
    shared.run("unshare")
    assert getfacl(home).split("\n\n")[0] == way
    shared.run("unshare", project_dir=str(moved))
    moved.rename(two)
    assert getfacl(two) == plain
    shutil.rmtree(two)
    assert shared.dump() == before

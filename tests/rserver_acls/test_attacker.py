"""A member, or the owner's own session, swaps folders and links while the lists are changed: nothing outside is."""

import ctypes
import multiprocessing
import os
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tests.rserver_acls.projects import BOTH_WALKS, Shared, getfacl, own
from tests.system.accounts import Account

pytestmark = [pytest.mark.root, BOTH_WALKS]

_AT_FDCWD, _EXCHANGE, _RENAMEAT2 = -100, 2, 316


def swap_on(pairs: list[tuple[str, str]], uid: int, stop: Event) -> None:
    """Exchange these names until told to stop, as that user."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    libc = ctypes.CDLL(None)
    while not stop.is_set():
        for one, other in pairs:
            libc.syscall(_RENAMEAT2, _AT_FDCWD, one.encode(), _AT_FDCWD, other.encode(), _EXCHANGE)


@pytest.fixture
def hostile(shared: Shared, alice: Account) -> Shared:
    """A project in which folders and files have doubles that lead into alice's home and to the owner's secrets."""
    outside = alice.home / "victim"
    (outside / "sub").mkdir(parents=True, exist_ok=True)
    for number in range(20):
        (outside / f"f{number}").touch()
        (outside / "sub" / f"f{number}").touch()
    own(alice, outside)
    secrets = shared.owner.home / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("x")
    for number in range(20):
        (secrets / f"f{number}").touch()
    top = shared.folder
    for number in range(4):
        (top / f"real{number}" / "sub").mkdir(parents=True)
        for leaf in range(20):
            (top / f"real{number}" / f"f{leaf}").touch()
            (top / f"real{number}" / "sub" / f"f{leaf}").touch()
        (top / f"link{number}").symlink_to((secrets, outside)[number % 2])
    (top / "file").touch()
    (top / "file-link").symlink_to(secrets / "key")
    own(shared.owner, shared.owner.home)
    return shared


def attack(shared: Shared, alice: Account, eve: Account, runs: int) -> None:
    """The owner's account swaps: he may do most. eve is the member who would gain."""
    top, stop = str(shared.folder), multiprocessing.Event()
    pairs = [(f"{top}/real{number}", f"{top}/link{number}") for number in range(4)]
    pairs += [(f"{top}/file", f"{top}/file-link"), (f"{top}/real0", f"{shared.owner.home}/secrets")]
    secrets = shared.owner.home / "secrets"
    victim = getfacl(alice.home)
    attacker = multiprocessing.get_context("fork").Process(target=swap_on, args=(pairs[:-1], shared.owner.uid, stop))
    attacker.start()
    try:
        before = getfacl(secrets)
        for _ in range(runs):
            for action in ("share", "unshare"):
                code, answer = shared.outcome(shared.request(action, eve))
                assert code in {0, 1}, answer
                assert getfacl(alice.home) == victim
                assert getfacl(secrets) == before
    finally:
        stop.set()
        attacker.join()


def test_swapped_names(hostile: Shared, alice: Account, eve: Account) -> None:
    attack(hostile, alice, eve, 25)


@pytest.mark.slow
def test_swapped_names_a_thousand_times(hostile: Shared, alice: Account, eve: Account) -> None:
    attack(hostile, alice, eve, 500 if hostile.is_compiled else 100)


def test_the_way_to_the_project_is_swapped(shared: Shared, alice: Account, eve: Account) -> None:
    """A part of the path becomes a link into another home while it is opened."""
    home = shared.owner.home
    (home / "way" / "trees").mkdir(parents=True)
    (alice.home / "trees").mkdir(exist_ok=True)
    (alice.home / "trees" / "hers").touch()
    own(alice, alice.home / "trees")
    (home / "elsewhere").symlink_to(alice.home)
    own(shared.owner, home)
    victim, stop = getfacl(alice.home), multiprocessing.Event()
    pairs = [(str(home / "way"), str(home / "elsewhere"))]
    attacker = multiprocessing.get_context("fork").Process(target=swap_on, args=(pairs, shared.owner.uid, stop))
    attacker.start()
    codes = set()
    try:
        for _ in range(40):
            code, answer = shared.outcome(shared.request("share", eve, project_dir=str(home / "way" / "trees")))
            codes.add(answer["error"]["code"] if code else "done")
    finally:
        stop.set()
        attacker.join()
    assert getfacl(alice.home) == victim
    assert codes <= {"done", "symlink", "not_owner", "busy"}


def test_a_members_hard_link_keeps_nothing(shared: Shared, alice: Account, eve: Account) -> None:
    """Who is let in makes a second name of a file; when he is sent away he has lost it all the same."""
    shared.run("share", alice)
    link = shared.folder / "data" / "second-name"
    os.link(shared.folder / "a.R", link)
    answer = shared.run("unshare", alice)
    assert {"a.R", "data/second-name"} == {entry["path"] for entry in answer["skipped"]}
    assert os.listxattr(shared.folder / "a.R") == []


def test_a_hard_link_to_a_file_outside_gives_nothing(shared: Shared, eve: Account) -> None:
    secret = shared.owner.home / "secret"
    secret.write_text("x")
    own(shared.owner, secret)
    shared.run("share", eve)
    os.link(secret, shared.folder / "now-inside")
    shared.run("refresh")
    assert os.listxattr(secret) == []


def test_somebody_elses_folder_is_not_entered(shared: Shared, alice: Account, eve: Account) -> None:
    theirs = shared.folder / "theirs"
    (theirs / "below").mkdir(parents=True)
    own(alice, theirs)
    os.chown(theirs / "below", shared.owner.uid, shared.owner.gid)
    answer = shared.run("share", eve)
    assert {entry["path"] for entry in answer["skipped"]} == {"theirs"}
    assert os.listxattr(Path(theirs, "below")) == []

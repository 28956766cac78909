"""Killed at any instant and run again: the outcome is that of one undisturbed run."""

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import time

import pytest

from tests.rserver_acls.projects import BOTH_WALKS, Shared, as_user, getfacl, own, setfacl
from tests.system.accounts import Account

pytestmark = [pytest.mark.root, BOTH_WALKS]

RUNS = 12


@pytest.fixture
def larger(shared: Shared, eve: Account) -> Shared:
    """Many files, every fifth of which has lists of its own, some of them like those that sharing makes."""
    top = shared.folder
    for number in range(40):
        folder = top / f"d{number}"
        folder.mkdir()
        for leaf in range(40):
            (folder / f"f{leaf}").touch()
    own(shared.owner, top)
    for number in range(0, 40, 5):
        setfacl("-m", f"u:{eve.uid}:r,g:1:rwx,m::rx", *(str(path) for path in (top / f"d{number}").iterdir()))
        setfacl("-d", "-m", f"u:{eve.uid}:rx", str(top / f"d{number}"))
    return shared


def test_hundreds_of_folders_with_lists(shared: Shared, alice: Account, eve: Account) -> None:
    """What is done at once, when many objects were recorded, may not take the folder away that is to be walked next."""
    folders = [shared.folder / f"d{number}" for number in range(400)]
    for folder in folders:
        folder.mkdir()
        (folder / "f").touch()
    own(shared.owner, shared.folder)
    setfacl("-m", f"u:{eve.uid}:r", *map(str, folders))
    before = getfacl(shared.folder)
    assert shared.run("share", alice)["skipped"] == []
    shared.run("unshare", alice)
    assert getfacl(shared.folder) == before


def killed_after(shared: Shared, seconds: float, action: str, *members: Account) -> None:
    """One run that is killed, with its child, some time after its start; it may be over by then."""
    process = subprocess.Popen(
        shared.argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdin
    process.stdin.write(shared.request(action, *members))
    process.stdin.close()
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        os.sched_yield()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def duration(shared: Shared, *members: Account) -> float:
    """Seconds of a whole share on this machine now."""
    started = time.monotonic()
    shared.run("share", *members)
    return time.monotonic() - started


def check(shared: Shared, alice: Account, eve: Account, runs: int, seed: int) -> None:
    rng = random.Random(seed)
    before = shared.dump()
    whole = duration(shared, alice, eve)
    after = shared.dump()
    shared.run("unshare", alice, eve)
    assert shared.dump() == before
    for _ in range(runs):
        for _ in range(rng.randrange(1, 3)):
            killed_after(shared, rng.uniform(0, whole), "share", alice, eve)
        shared.run("share", alice, eve)
        assert shared.dump() == after
        for _ in range(rng.randrange(1, 3)):
            killed_after(shared, rng.uniform(0, whole), "unshare", alice, eve)
        shared.run("unshare", alice, eve)
        assert shared.dump() == before
        # Broken off and given up instead of finished.
        killed_after(shared, rng.uniform(0, whole), "share", alice)
        shared.run("unshare", alice)
        assert shared.dump() == before


def test_killed_and_run_again(larger: Shared, alice: Account, eve: Account) -> None:
    check(larger, alice, eve, RUNS, seed=1)


@pytest.mark.slow
def test_killed_and_run_again_many_times(larger: Shared, alice: Account, eve: Account) -> None:
    check(larger, alice, eve, 150 if larger.is_compiled else 30, seed=2)


def test_half_a_record_at_the_end_of_the_manifest(larger: Shared, alice: Account) -> None:
    """As a lost write leaves it."""
    before = larger.dump()
    larger.run("share", alice)
    manifest = larger.state / f"{larger.owner.uid}-0.lists"
    with manifest.open("ab") as file:
        file.write(manifest.read_bytes()[:50])
    larger.run("refresh")
    larger.run("unshare", alice)
    assert larger.dump() == before


def test_what_is_unshared_is_not_touched_by_unsharing_it_again(shared: Shared, alice: Account) -> None:
    """Whoever broke off at the very end sends the request again; entries that alice had before are hers."""
    setfacl("-m", f"u:{alice.uid}:r", str(shared.folder / "a.R"))
    before = shared.dump()
    shared.run("share", alice)
    for _ in range(2):
        shared.run("unshare", alice)
        assert shared.dump() == before


def test_members_of_a_project_without_books_are_sent_away(shared: Shared, alice: Account) -> None:
    """The project was moved, or the server's state is lost."""
    shared.run("share", alice)
    for path in shared.state.iterdir():
        path.unlink()
    shared.run("unshare", alice)
    assert f"user:{alice.uid}:" not in shared.dump()


def test_one_run_of_an_owner_at_a_time(shared: Shared, alice: Account) -> None:
    shared.run("share", alice)
    with (shared.state / f"{shared.owner.uid}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert shared.refusal("unshare", alice) == (1, "busy")
    shared.run("unshare", alice)


def test_a_project_that_was_moved_is_taken_back_at_its_new_place(shared: Shared, alice: Account, eve: Account) -> None:
    """Nobody keeps what the old place gave, whoever is named at the new one; lists of the owner's hand are restored."""
    setfacl("-m", f"u:{eve.uid}:r,m::---", str(shared.folder / "a.R"))
    new = shared.folder.with_name("moved")
    new.mkdir()
    own(shared.owner, new)
    untouched = getfacl(shared.owner.home)
    new.rmdir()
    for members in ((alice,), (), (eve,)):
        shared.run("share", alice, eve)
        shared.folder.rename(new)
        if members:
            assert shared.run("share", *members, project_dir=str(new))["members"] == [members[0].name]
        assert shared.run("unshare", project_dir=str(new))["members"] == []
        new.rename(shared.folder)
        new.mkdir()
        own(shared.owner, new)
        assert getfacl(shared.owner.home) == untouched
        new.rmdir()


def test_sharing_a_moved_project_names_no_former_member(shared: Shared, alice: Account, eve: Account) -> None:
    shared.run("share", alice, eve)
    new = shared.folder.with_name("moved")
    shared.folder.rename(new)
    assert shared.run("share", eve, project_dir=str(new))["moved_from"] == str(shared.folder)
    assert f"user:{alice.uid}:" not in shared.dump()
    assert as_user(eve, "cat", str(new / "a.R")).returncode == 0
    assert as_user(alice, "cat", str(new / "a.R")).returncode != 0
    assert shared.refusal("status", project_dir=str(shared.folder))[1] == "not_shared"


def test_who_is_no_member_is_not_touched_by_unsharing(shared: Shared, alice: Account, eve: Account) -> None:
    """Named beside a member, and of a project that nobody shares."""
    setfacl("-m", f"u:{eve.uid}:rw,u:1:rwx,m::r", str(shared.folder / "a.R"))
    before = shared.dump()
    shared.run("share", alice)
    answer = shared.run("unshare", alice, eve)
    assert shared.dump() == before
    assert eve.name in answer["skipped"][0]["reason"]
    answer = shared.run("unshare", eve)
    assert shared.dump() == before
    assert (answer["skipped_total"], answer["changed"]) == (1, 0)


def test_a_project_that_cannot_be_changed_is_refused(shared: Shared, alice: Account) -> None:
    folder, before = str(shared.folder), shared.dump()
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        assert shared.refusal("share", alice) == (1, "read_only")
    finally:
        subprocess.run(["umount", folder], check=True)
    subprocess.run(["chattr", "+i", folder], check=True)
    try:
        assert shared.refusal("share", alice) == (1, "read_only")
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
    assert shared.dump() == before
    assert not (shared.state / f"{shared.owner.uid}.json").exists()

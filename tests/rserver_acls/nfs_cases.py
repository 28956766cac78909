"""What test_on_nfs.py runs in its guest: /home/nfs4 and /home/nfs3 are mounts of one server, which squashes root."""

import difflib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from rserver_core.nfs4_list import NAME
from tests.rserver_acls.projects import ROOT, Shared, as_user, getfacl, names_of, program_in, setfacl
from tests.rserver_acls.test_interruptions import killed_after
from tests.system.accounts import Account
from tests.system.nfs_server import EXPORT

pytestmark = pytest.mark.root

NUMBERS = count(3001)
KINDS = {"nfs4": "nfs4", "nfs3": "posix"}


def add_account(mount: str) -> Account:
    """An account whose home is on the server; the guest ends with it."""
    uid = next(NUMBERS)
    name = f"nfs{uid}"
    home = Path("/home") / mount / name
    subprocess.run(["groupadd", "--gid", str(uid), name], check=True)
    subprocess.run(
        ["useradd", "--no-create-home", "--home-dir", str(home), "--uid", str(uid), "--gid", name, name], check=True
    )
    on_server = EXPORT / name
    on_server.mkdir(mode=0o700)
    os.chown(on_server, uid, uid)
    return Account(name, "", uid, uid, home)


@pytest.fixture(scope="module", params=list(KINDS))
def mount(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def alice(mount: str) -> Account:
    return add_account(mount)


@pytest.fixture(scope="module")
def eve(mount: str) -> Account:
    return add_account(mount)


class OnNfs(Shared):
    """A project on one of the mounts."""

    @property
    def on_server(self) -> Path:
        return EXPORT / self.owner.name

    def dump(self) -> str:
        """What the server keeps of the whole home, and what NFSv4 shows of it to the owner.

        NFSv4 shows nothing of what a mask takes away, and Linux takes no default list back; so these do not count.
        """
        kept = [block for block in getfacl(self.on_server).split("\n\n") if block]
        if "nfs4" not in str(self.folder):
            return "\n\n".join(kept)
        return "\n\n".join([*(effective(without_bare_default(block)) for block in kept), self.shown()])

    def shown(self) -> str:
        if "nfs4" not in str(self.folder):
            return ""
        return self.do(_DUMP, self.owner, str(self.owner.home), NAME)

    def do(self, script: str, who: Account, *arguments: str) -> str:
        """A Python script that somebody runs."""
        done = as_user(who, sys.executable, "-I", "-S", "-c", script, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sh(self, script: str, who: Account | None = None) -> str:
        """Shell commands of the owner, or of somebody else, in the project."""
        done = as_user(who or self.owner, "sh", "-e", "-c", f"umask 022; cd {self.folder}; {script}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def may(self, who: Account, script: str) -> bool:
        """Whether these commands succeed for somebody, from anywhere."""
        return as_user(who, "sh", "-e", "-c", script).returncode == 0


def difference(before: str, after: str) -> str:
    """Lines that differ; empty when nothing does."""
    return "\n".join(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=6))


_DUMP = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from rserver_core import nfs4_list as nfs4
for folder, _, files in os.walk(sys.argv[1]):
    for path in [folder, *(os.path.join(folder, name) for name in sorted(files))]:
        if not os.path.islink(path):
            entries = nfs4.decode(os.getxattr(path, sys.argv[2]))
            if all(entry.who[-1:] == b"@" for entry in entries if entry.flags & 3):
                entries = [entry for entry in entries if not entry.flags & 3]
            print(ascii(path), oct(os.stat(path).st_mode), *map(tuple, entries))
"""


def effective(block: str) -> str:
    """What getfacl says of one object, without what the mask takes away."""
    lines = (line.split("\t#effective:") for line in block.split("\n"))
    return "\n".join(first.rstrip("\t")[:-3] + shown[0] if shown else first for first, *shown in lines)


def without_bare_default(block: str) -> str:
    """What getfacl says of one object."""
    lines = block.split("\n")
    default = [line for line in lines if line.startswith("default:")]
    is_bare = {line.rsplit(":", 1)[0] for line in default} == {"default:user:", "default:group:", "default:other:"}
    return "\n".join(line for line in lines if line not in default) if is_bare else block


@pytest.fixture
def shared(mount: str, tmp_path: Path) -> OnNfs:
    owner = add_account(mount)
    made = OnNfs(owner, owner.home / "trees", tmp_path / "acls", program_in(ROOT))
    as_user(owner, "mkdir", str(made.folder))
    made.sh(
        "mkdir -p data/raw; echo a > a.R; echo s > data/secret.csv; chmod 600 data/secret.csv;"
        "echo r > data/raw/run.sh; chmod 750 data/raw/run.sh; chmod 700 data"
    )
    return made


def members_can_work(shared: OnNfs, *members: Account) -> None:
    for member in members:
        assert shared.may(member, f"cd {shared.folder}; echo more >> a.R; cat data/secret.csv; ls data/raw")
        shared.sh(f"echo {member.name} > data/of-{member.name}; mkdir data/dir-{member.name}", member)
        shared.sh(f"echo owner >> data/of-{member.name}; touch data/dir-{member.name}/owners")
        assert not shared.may(member, f"ls {shared.owner.home}")


def test_members_get_the_owners_rights_and_lose_them(shared: OnNfs, mount: str, alice: Account, eve: Account) -> None:
    with pytest.raises(PermissionError):
        os.listdir(shared.folder)
    before = shared.dump()
    answer = shared.run("share", alice)
    assert (answer["acl"], answer["skipped"]) == (KINDS[mount], [])
    assert {"uid", "capabilities", "seccomp"} <= set(answer["confined"])
    assert answer["changed"] == 6
    members_can_work(shared, alice)
    assert not shared.may(eve, f"cat {shared.folder}/a.R")
    assert not shared.may(alice, f"{shared.folder}/a.R")
    again = shared.run("refresh")
    assert (again["changed"], again["skipped"]) == (0, []), again
    shared.run("share", eve)
    # Also what alice made is open to who came later.
    assert shared.may(eve, f"echo eve >> {shared.folder}/data/of-{alice.name}")
    members_can_work(shared, eve)
    answer = shared.run("unshare", eve)
    assert (answer["members"], answer["skipped"]) == ([alice.name], [])
    assert not shared.may(eve, f"cat {shared.folder}/a.R")
    assert shared.may(alice, f"echo more >> {shared.folder}/a.R")
    for path in EXPORT.glob(f"{shared.owner.name}/**/*"):
        assert f"user:{eve.uid}:" not in getfacl(path) or path.stat().st_uid == eve.uid
    assert len(shared.run("unshare")["skipped"]) == (mount == "nfs4")
    assert not shared.may(alice, f"cat {shared.folder}/a.R")
    shared.sh(f"rm -rf data/of-* data/dir-*/owners; mv data/dir-* {shared.owner.home}/")
    assert not difference(without_dirs(before), without_dirs(shared.dump()))


def without_dirs(dump: str) -> str:
    """Without what members made, and without what was written to a file."""
    blocks = [block for block in dump.split("\n\n") if "/dir-" not in block.split("\n")[0]]
    return "\n\n".join("\n".join(line for line in block.split("\n") if "/dir-" not in line) for block in blocks)


def nasty(shared: OnNfs, eve: Account) -> None:
    """Lists of all kinds, set on the server; names and objects of all kinds."""
    shared.sh(
        "mkdir 'new\nline' deep; touch 'new\nline/f' deep/empty; ln -s /etc/passwd link; mkfifo fifo; ln a.R hard;"
        "ln -s ../.. up; touch \"$(printf 'bad\\377name')\"; touch other sealed; chmod 466 other; chmod 000 sealed;"
        "for i in 1 2 3 4 5 6; do touch l$i; mkdir d$i; done; chmod 2770 d6"
    )
    top = shared.on_server / "trees"
    setfacl("-m", f"u:{eve.uid}:r", str(top / "l1"))
    setfacl("-m", f"u:{eve.uid}:rw,g:1:rx,m::rwx", str(top / "l2"))
    setfacl("-m", f"u:{eve.uid}:---", str(top / "l3"))
    setfacl("-m", "g:7:rwx", str(top / "l4"))
    setfacl("-m", f"u:{shared.owner.uid}:r", str(top / "l5"))
    setfacl("-m", f"d:u:{eve.uid}:rx", str(top / "d1"))
    setfacl("-m", "d:u::rwx,d:g::r,d:o::-", str(top / "d2"))
    setfacl("-m", f"u:{eve.uid}:rwx,d:g:7:rx,g:7:x,d:o::-", str(top / "d3"))


def test_everything_comes_back(shared: OnNfs, mount: str, alice: Account, eve: Account) -> None:
    nasty(shared, eve)
    before, default = shared.dump(), getfacl(shared.on_server / "trees" / "d2")
    answer = shared.run("share", alice, eve)
    assert names_of(answer) == {"a.R", "hard", "sealed"}
    assert shared.may(eve, f"echo x >> {shared.folder}/l1")
    assert not shared.may(alice, f"echo x >> {shared.folder}/other")
    assert shared.run("refresh")["changed"] == 0
    for members in ([eve], [alice]):
        shared.run("unshare", *members)
    assert not difference(before, shared.dump())
    assert not difference(default, getfacl(shared.on_server / "trees" / "d2"))


def test_a_mode_that_was_changed_in_between(shared: OnNfs, alice: Account) -> None:
    """Refresh lets members in again; the owner's change is what is left."""
    shared.run("share", alice)
    shared.sh("chmod 600 a.R; chmod 700 data/raw")
    assert not shared.may(alice, f"cat {shared.folder}/a.R")
    assert shared.run("status")["changed"] == 2
    assert shared.run("refresh")["changed"] == 2
    assert shared.may(alice, f"cat {shared.folder}/a.R; ls {shared.folder}/data/raw")
    shared.run("unshare")
    assert shared.sh("stat -c %a a.R data/raw").split() == ["600", "700"]
    assert "user:" + str(alice.uid) not in getfacl(shared.on_server)


def test_what_is_made_by_others_in_between(shared: OnNfs, alice: Account, eve: Account) -> None:
    """Files of who leaves are his; nobody of the rest keeps entries there but the owner of the project."""
    shared.run("share", alice, eve)
    shared.sh("touch of-alice; mkdir hers; touch hers/inner", alice)
    shared.sh("touch made; cp -p data/raw/run.sh copied")
    shared.run("unshare", alice)
    assert shared.sh("cat of-alice hers/inner") == ""
    assert not shared.may(alice, f"cat {shared.folder}/made")
    assert shared.may(eve, f"cat {shared.folder}/made; cat {shared.folder}/of-alice")
    shared.run("unshare")
    left = [block for block in getfacl(shared.on_server).split("\n\n") if f"owner: {shared.owner.uid}" in block]
    assert len(left) == 9
    assert not [block for block in left if "mask" in block or f":{alice.uid}:" in block]


def test_killed_and_run_again(shared: OnNfs, alice: Account, eve: Account) -> None:
    nasty(shared, eve)
    shared.sh("for d in 1 2 3 4 5; do for i in $(seq 40); do touch d$d/f$i; done; done")
    setfacl("-m", f"u:{eve.uid}:r,g:1:rx", *map(str, (shared.on_server / "trees" / "d4").iterdir()))
    rng = random.Random(5)
    before = shared.dump()
    started = time.monotonic()
    shared.run("share", alice, eve)
    whole = time.monotonic() - started
    after = getfacl(shared.on_server)
    shared.run("unshare", alice, eve)
    assert not difference(before, shared.dump())
    for _ in range(3):
        killed_after(shared, rng.uniform(0, whole), "share", alice, eve)
        shared.run("share", alice, eve)
        assert not difference(after, getfacl(shared.on_server))
        killed_after(shared, rng.uniform(0, whole), "unshare", alice, eve)
        shared.run("unshare", alice, eve)
        assert not difference(before, shared.dump())
        killed_after(shared, rng.uniform(0, whole), "share", alice, eve)
        shared.run("unshare", alice, eve)
        assert not difference(before, shared.dump())


def test_names_swapped_under_way(shared: OnNfs, alice: Account) -> None:
    """A member leads the walk away to another folder of the owner, again and again: nothing outside ever changes."""
    shared.sh(
        "mkdir ../private ../private/raw; touch ../private/raw/key; chmod -R go= ../private; touch ../private/own"
    )
    private = shared.on_server / "private"
    before = getfacl(private)
    shared.run("share", alice)
    attacker = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _SWAP, str(shared.folder / "data"), str(shared.owner.home / "private")],
        user=alice.uid, group=alice.gid, extra_groups=[],
    )  # fmt: skip
    try:
        for _ in range(5):
            shared.outcome(shared.request("unshare"))
            shared.outcome(shared.request("share", alice))
            assert getfacl(private) == before
            assert attacker.poll() is None
    finally:
        attacker.kill()
        attacker.wait()


_SWAP = """
import os, sys
folder, aim = sys.argv[1:]
while True:
    try:
        os.rename(folder, folder + ".real"); os.symlink(aim, folder)
    except OSError:
        pass
    try:
        os.unlink(folder)
    except OSError:
        pass
    try:
        os.rename(folder + ".real", folder)
    except OSError:
        pass
"""


def test_who_leaves_cannot_hold_it_up(shared: OnNfs, alice: Account, eve: Account) -> None:
    """What is done in a member's name is not the member's process."""
    shared.run("share", alice, eve)
    shared.sh("for i in $(seq 100); do : > alices$i; done", alice)
    attacker = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _STOP], user=alice.uid, group=alice.gid, extra_groups=[]
    )
    try:
        answer = shared.run("unshare", alice)
        assert answer["members"] == [eve.name]
        assert attacker.poll() is None
    finally:
        attacker.kill()
        attacker.wait()
    assert names_of(answer) <= {"."}
    # The member's own files too were changed in time.
    assert f"user:{alice.uid}:" not in getfacl(shared.on_server / "trees")


_STOP = """
import os, signal
while True:
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(-1, number)
        except OSError:
            pass
"""


def test_the_session_judges_others_as_the_server_does(shared: OnNfs, mount: str, alice: Account) -> None:
    """Whoever hosts a shared text: may somebody else read and write the file?"""
    rng = random.Random(9)
    shared.sh("chmod 711 .. .")
    for number in range(1, 31):
        # On the server, since the client remembers for a while what it has seen.
        folder = shared.on_server / "trees" / f"t{number}"
        folder.mkdir()
        (folder / "f").touch()
        for path in (folder, folder / "f"):
            os.chown(path, shared.owner.uid, rng.choice([shared.owner.gid, alice.gid]))
            of_owner = 0o700 if path == folder else 0o600
            path.chmod(of_owner | rng.choice([0o00, 0o50, 0o70, 0o77, 0o07, 0o66, 0o60, 0o06, 0o76, 0o67]))
            if rng.random() < 0.7:
                entries = [
                    f"u:{alice.uid}:{rng.choice(['---', 'rw-', 'rwx', 'r-x', '--x'])}",
                    f"g:{alice.gid}:{rng.choice(['---', 'rw-', 'rwx'])}",
                    f"m:{rng.choice(['rwx', 'r-x', 'rw-', '---'])}",
                ]
                setfacl("-m", ",".join(rng.sample(entries, rng.randint(1, 3))), str(path))
                if not path.stat().st_mode & 0o070:
                    # With an empty mask Linux looks at the mode alone, and lets in whom its own list denies.
                    setfacl("-b", str(path))
    files = [str(shared.folder / f"t{number}" / "f") for number in range(1, 31)]
    judged = shared.do(_JUDGE, shared.owner, alice.name, *files).split()
    found = [str(shared.may(alice, f"true <> {file}")) for file in files]
    wrong = [number for number, pair in enumerate(zip(judged, found, strict=True), 1) if pair[0] != pair[1]]
    assert not wrong, getfacl(shared.on_server / "trees" / f"t{wrong[0]}") + shared.shown()
    assert set(found) == {"True", "False"}


_JUDGE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from rsession.collab.access import may_edit
print(*(may_edit(file, sys.argv[1]) for file in sys.argv[2:]))
"""


def test_figures(shared: OnNfs, mount: str, alice: Account) -> None:
    """1,000 files in 50 folders."""
    shared.sh("for d in $(seq 50); do mkdir m$d; for i in $(seq 20); do : > m$d/f$i; done; done")
    runs: list[tuple[str, list[Account]]] = [("share", [alice]), ("refresh", []), ("status", []), ("unshare", [])]
    seconds = {action: measured(shared, action, members) for action, members in runs}
    print(f"\nfigure: {mount} " + json.dumps(seconds))
    assert all(value < 60 for value in seconds.values())


def measured(shared: OnNfs, action: str, members: Sequence[Account]) -> float:
    started = time.monotonic()
    shared.run(action, *members)
    return round(time.monotonic() - started, 3)

"""What the walled-in process can still do when it is made to do something else."""

import os
import pwd
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rserver_acls import kernel, landlock
from rserver_acls.acl import ACCESS, encode, of_mode
from rserver_acls.capabilities import NEEDED
from rserver_acls.people import service_account
from rserver_acls.walls import Identity, become, close_in
from tests.rserver_acls.projects import Shared
from tests.system.accounts import Account

pytestmark = pytest.mark.root

ACCOUNT = "rserver-acls"


def inside(folder: Path, attempt: Callable[[int], object]) -> str:
    """How an attempt ends in a process walled in around folder: `done`, or the name of the error."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            uid, gid = service_account(ACCOUNT)
            top = os.open(folder, os.O_RDONLY)
            become(Identity(uid, gid, (), NEEDED))
            close_in(top)
            attempt(top)
            os.write(writing, b"done")
        except BaseException as error:
            os.write(writing, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        answer = file.read().decode()
    os.waitpid(pid, 0)
    return answer


def in_child(attempt: Callable[[], object]) -> Callable[[int], object]:
    """Without the folder."""
    return lambda _: attempt()


def test_inside_the_folder_lists_can_be_read_and_changed(shared: Shared) -> None:
    def change(top: int) -> None:
        fd = os.open("a.R", os.O_RDONLY, dir_fd=top)
        os.setxattr(fd, ACCESS, encode(of_mode(0o640)))

    assert inside(shared.folder, change) == "done"
    assert (shared.folder / "a.R").stat().st_mode & 0o777 == 0o640
    assert inside(shared.folder, lambda top: os.listdir(top)) == "done"


LIST = bytes.fromhex("02000000 01000700ffffffff 04000700ffffffff 20000700ffffffff")


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(in_child(lambda: os.open("/etc/shadow", os.O_RDONLY)), id="read a secret"),
        pytest.param(in_child(lambda: os.listdir("/root")), id="list a folder"),
        pytest.param(in_child(lambda: os.setxattr("/etc/hostname", "system.posix_acl_access", LIST)), id="by path"),
        pytest.param(lambda top: os.setxattr("a.R", "system.posix_acl_access", LIST), id="by name inside"),
        pytest.param(lambda top: os.open("a.R", os.O_WRONLY, dir_fd=top), id="write inside"),
        pytest.param(lambda top: os.open("new", os.O_RDONLY | os.O_CREAT, dir_fd=top), id="create inside"),
        pytest.param(lambda top: os.unlink("a.R", dir_fd=top), id="unlink inside"),
        pytest.param(lambda top: os.chmod("a.R", 0o777, dir_fd=top), id="chmod inside"),
        pytest.param(lambda top: os.fchmod(os.open("a.R", os.O_RDONLY, dir_fd=top), 0o777), id="fchmod inside"),
        pytest.param(lambda top: os.chown("a.R", 1, 1, dir_fd=top), id="chown inside"),
        pytest.param(lambda top: os.removexattr(top, "system.posix_acl_default"), id="fremovexattr"),
        pytest.param(lambda top: os.rename("a.R", "b.R", src_dir_fd=top, dst_dir_fd=top), id="rename"),
        pytest.param(lambda top: os.link("a.R", "b.R", src_dir_fd=top, dst_dir_fd=top), id="link"),
        pytest.param(lambda top: os.listdir(os.open("..", os.O_RDONLY, dir_fd=top)), id="step out"),
        pytest.param(in_child(os.fork), id="fork"),
        pytest.param(in_child(lambda: os.execv("/bin/true", ["true"])), id="exec"),
        pytest.param(in_child(lambda: os.kill(os.getppid(), 0)), id="signal"),
        pytest.param(in_child(socket.socket), id="socket"),
        pytest.param(in_child(lambda: os.setresuid(0, 0, 0)), id="root again"),
        pytest.param(in_child(lambda: os.chroot("/")), id="chroot"),
        pytest.param(in_child(lambda: kernel.syscall(310, os.getppid(), 0)), id="read memory of another"),
    ],
)
def test_everything_else_is_refused(shared: Shared, attempt: Callable[[int], object]) -> None:
    def in_the_folder(top: int) -> None:
        os.fchdir(top)
        attempt(top)

    before = shared.dump()
    assert inside(shared.folder, in_the_folder) == "PermissionError"
    assert shared.dump() == before


def test_a_descriptor_from_before_is_no_way_out(shared: Shared, alice: Account) -> None:
    """O_PATH descriptors are open whatever Landlock says; changing a list through one is refused."""
    sight = os.open(alice.home, os.O_PATH)
    try:
        assert inside(shared.folder, lambda _: os.setxattr(sight, "system.posix_acl_access", LIST)) == "OSError"
        attempt = lambda _: os.open(".bashrc", os.O_RDONLY, dir_fd=sight)  # noqa: E731
        assert inside(shared.folder, attempt) == "PermissionError"
    finally:
        os.close(sight)


def test_what_the_process_holds(shared: Shared) -> None:
    """Its uid, capabilities, no_new_privs and filter, as the kernel tells them."""

    def look(top: int) -> None:
        os.write(copy, Path(f"/proc/{os.getpid()}/status").read_bytes())

    reading, copy = os.pipe()
    uid, gid = service_account(ACCOUNT)
    pid = os.fork()
    if pid == 0:
        become(Identity(uid, gid, (), NEEDED))
        look(0)
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(copy)
    with open(reading) as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert status["Uid"].split() == [str(uid)] * 4
    assert status["Gid"].split() == [str(gid)] * 4
    assert status["Groups"].split() == []
    bits = sum(1 << number for number in NEEDED)
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")] == [bits] * 3
    assert [int(status[name], 16) for name in ("CapInh", "CapAmb")] == [0, 0]
    assert status["NoNewPrivs"] == "1"


def test_all_walls_stand_on_this_kernel(shared: Shared, alice: Account) -> None:
    walls = ["uid", "capabilities", *(["landlock"] if landlock.version() else []), "seccomp"]
    assert shared.run("share", alice)["confined"] == walls


def test_without_its_account_nothing_is_done(shared: Shared, alice: Account) -> None:
    before = shared.dump()
    shared.argv.append("--account=rsa-no-such-account")
    assert shared.refusal("share", alice) == (1, "failed")
    shared.argv[-1] = "--account=root"
    assert shared.refusal("share", alice) == (1, "failed")
    assert shared.dump() == before


def test_the_owner_alone_needs_no_root(shared: Shared, alice: Account, tmp_path: Path) -> None:
    """As in single-user mode: nothing is held, and the same walls stand."""
    owner, before = shared.owner, shared.dump()
    state = Path(owner.home, ".acls")
    for action in ("share", "unshare"):
        done = subprocess.run(
            [*shared.argv[:4], f"--state={state}"],
            input=shared.request(action, alice),
            user=owner.uid,
            group=owner.gid,
            extra_groups=[],
            capture_output=True,
            env={},
        )
        assert done.returncode == 0, done
        assert b'"seccomp"' in done.stdout
    for path in (*state.iterdir(), state):
        path.rmdir() if path.is_dir() else path.unlink()
    assert shared.dump() == before


def test_nobody_else_may_run_it(shared: Shared, alice: Account, eve: Account) -> None:
    done = subprocess.run(
        [*shared.argv[:4], f"--state={eve.home}/.acls"],
        input=shared.request("share", alice),
        user=eve.uid,
        group=eve.gid,
        extra_groups=[],
        capture_output=True,
        env={},
    )
    assert done.returncode == 1
    assert b"Only root, or the owner alone" in done.stdout


def test_the_service_account_is_no_other_ones() -> None:
    """Nothing else of the server runs under it."""
    assert pwd.getpwnam(ACCOUNT).pw_uid != pwd.getpwnam("rstudio-server").pw_uid

"""Where the kernel does not tell of changes made elsewhere (as on NFS) the folder is read now and then."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsession.presence.watch import file_system, is_watchable
from tests.rsession.presence.people import Member, Team, appear, team

BINDFS = shutil.which("bindfs")


def type_at(path: str) -> str:
    """The type of the file system on which a folder lies."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return file_system(descriptor)
    finally:
        os.close(descriptor)


def test_the_kind_of_a_file_system_is_known() -> None:
    assert type_at("/proc") == "proc"
    seen = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", "/tmp"], capture_output=True, text=True, check=True)
    assert type_at("/tmp") == seen.stdout.strip()


def test_only_local_file_systems_are_watched() -> None:
    assert all(map(is_watchable, ("ext4", "xfs", "btrfs", "tmpfs", "overlay")))
    assert not any(map(is_watchable, ("nfs", "nfs4", "cifs", "fuse", "fuse.sshfs", "lustre", "ceph", "9p", "")))


@pytest.fixture
def shared() -> Iterator[Team]:
    """A project of one person."""
    with team(share=False) as found:
        yield found


@pytest.fixture
def through_fuse(shared: Team) -> Iterator[Path]:
    """The project once more, through a file system of which the kernel does not know what happens below."""
    assert BINDFS is not None
    place = shared.owner.home / "far"
    place.mkdir()
    subprocess.run([BINDFS, str(shared.project), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.root
@pytest.mark.r
@pytest.mark.skipif(BINDFS is None or not os.path.exists("/dev/fuse"), reason="bindfs is needed")
def test_changes_that_the_kernel_does_not_tell_are_seen(shared: Team, through_fuse: Path) -> None:
    with Member(shared.owner, shared.project) as near, Member(shared.owner, through_fuse) as far:
        far.sees(near)
        near.sees(far)
        appear(near, shared.project / "model.R", 3)
        assert far.told(lambda people: people[0]["line"] == 3)["file"] == "model.R"
        near.call("quit_session")
        far.sees()

"""The file of original lists, whatever is at its end."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_acls import mounts
from rserver_acls.manifest import Identity, Manifest, Original


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "lists", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def original(rng: random.Random) -> Original:
    return Original(*(rng.choice([None, b"", rng.randbytes(rng.randrange(200))]) for _ in range(2)))


def test_everything_is_found_again(fd: int) -> None:
    """Also more records than there are chains, before and after they are written."""
    rng = random.Random(3)
    manifest = Manifest(fd)
    assert manifest.is_empty
    records = {
        Identity(rng.randrange(3), rng.randrange(2**40), rng.randrange(2**32)): original(rng) for _ in range(70_000)
    }
    for identity, content in records.items():
        manifest.add(identity, content)
    some = rng.sample(sorted(records), 500)
    assert manifest.find(some[0]) == records[some[0]]
    manifest.flush()
    for reader in (manifest, Manifest(fd)):
        assert not reader.is_empty
        assert all(reader.find(identity) == records[identity] for identity in some)
        assert reader.find(Identity(9, 9, 9)) is None


def test_another_generation_is_another_object(fd: int) -> None:
    manifest = Manifest(fd)
    manifest.add(Identity(1, 2, 3), Original(b"a", None))
    assert manifest.find(Identity(1, 2, 4)) is None
    assert manifest.find(Identity(1, 2, 3)) == Original(b"a", None)


def test_cut_off_or_spoilt_anywhere(fd: int) -> None:
    """What was whole before the fault is found; what is added afterwards too."""
    manifest = Manifest(fd)
    identities = [Identity(1, number, 0) for number in range(5)]
    for identity in identities:
        manifest.add(identity, Original(b"x" * 20, b"y" * 30))
    manifest.flush()
    whole = os.pread(fd, 10_000, 0)
    size = len(whole) // 5
    for cut in range(0, len(whole), 7):
        for content in (whole[:cut], whole[:cut] + bytes([whole[cut] ^ 0xFF]) + whole[cut + 1 :]):
            os.ftruncate(fd, 0)
            os.pwrite(fd, content, 0)
            found = Manifest(fd)
            assert [found.find(identity) is not None for identity in identities].count(True) == cut // size
            found.add(Identity(7, 7, 7), Original(None, b"z"))
            found.flush()
            assert Manifest(fd).find(Identity(7, 7, 7)) == Original(None, b"z")


def test_which_paths_lie_on_nfs(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        "40 22 0:40 / /home rw,relatime shared:1 - nfs4 server:/home rw\n"
        "41 40 0:41 / /home/local rw - xfs /dev/sdb rw\n"
        "42 22 0:42 / /srv/with\\040space rw - nfs server:/srv rw\n"
    )
    remote = ["/home/bob/trees", "/home", "/home/locals/x", "/srv/with space/x"]
    assert all(mounts.is_remote(path, str(table)) for path in remote)
    assert not any(mounts.is_remote(path, str(table)) for path in ["/homes", "/home/local/x", "/srv/with", "/"])

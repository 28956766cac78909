import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest

from rsession.services.disk_file import Stamp, digest, read_bytes, replace_file, write_private


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


def test_content_is_replaced_and_mode_kept(tmp_path: Path) -> None:
    path = tmp_path / "script.R"
    path.write_bytes(b"old")
    path.chmod(0o751)
    stamp = replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert stamp.is_of(path)
    assert not leftovers(tmp_path)


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "new.R", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.R").stat().st_mode) == 0o640


def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "target.R"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link = tmp_path / "link.R"
    link.symlink_to("elsewhere/target.R")
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_other_hard_links_see_the_new_content(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"a longer old text")
    other.hardlink_to(path)
    replace_file(path, b"new")
    assert other.read_bytes() == b"new"
    assert path.stat().st_ino == other.stat().st_ino
    assert not leftovers(tmp_path)


def test_extended_attributes_and_acl_stay(tmp_path: Path) -> None:
    path = tmp_path / "shared.R"
    path.write_bytes(b"old")
    os.setxattr(path, "user.note", b"kept")
    subprocess.run(["setfacl", "-m", "u:nobody:rw", path], check=True)
    before = subprocess.run(["getfacl", "-c", path], check=True, capture_output=True).stdout
    replace_file(path, b"new")
    assert os.getxattr(path, "user.note") == b"kept"
    assert subprocess.run(["getfacl", "-c", path], check=True, capture_output=True).stdout == before


@pytest.mark.root
def test_owner_stays(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    path = tmp_path / "theirs.R"
    path.write_bytes(b"old")
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
    replace_file(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (nobody.pw_uid, nobody.pw_gid)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, limited_disk: Path) -> None:
    path = limited_disk / "script.R"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"x" * 4_000_000)
    assert path.read_bytes() == b"old"
    assert os.listdir(limited_disk) == ["script.R"]


@pytest.fixture
def limited_disk(tmp_path: Path) -> Path:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount a small file system here")
    return folder


@pytest.fixture(autouse=True)
def unmount(tmp_path: Path) -> object:
    yield
    if os.path.ismount(tmp_path / "disk"):
        subprocess.run(["umount", tmp_path / "disk"], check=True)


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_what_is_no_file_is_neither_read_nor_written(tmp_path: Path, kind: str) -> None:
    path = {"folder": tmp_path, "fifo": tmp_path / "fifo", "device": Path("/dev/null")}[kind]
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"regular file|directory"):
        read_bytes(path, 10)
    with pytest.raises(OSError, match=r"regular file|directory"):
        replace_file(path, b"x")


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 100)
    assert read_bytes(path, 10)[0] == b"x" * 11


def test_a_touched_file_is_not_a_changed_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"text")
    content, stamp = read_bytes(path, 100)
    os.utime(path, (1, 1))
    assert stamp.is_of(path)
    path.write_bytes(b"TEXT")
    assert not stamp.is_of(path)
    path.unlink()
    assert not stamp.is_of(path)
    assert stamp == Stamp(stamp.mtime_ns, 4, digest(content))


def test_what_cannot_be_written_whole_leaves_nothing_aside(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "private", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["private"]

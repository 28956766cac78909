"""The compiled walk and the one in Python meet the same and do the same."""

import errno
import os
import random
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from rserver_acls import _native, attributes
from rserver_acls.acl import ACCESS, DEFAULT, NO_DEFAULT, Acl, encode, of_mode
from rserver_acls.tree import Change, Visits, walk_in_python

Walk = Callable[[int, Visits], None]
DEPTH = 8


def walk_compiled(top: int, visits: Visits) -> None:
    _native.walk(top, visits.device, visits.depth, visits.known, visits)


WALKS = pytest.mark.parametrize("walk", [walk_compiled, walk_in_python])


class Recorder:
    """Takes down what it is told; keeps the descriptors of every third object."""

    def __init__(self, known: Mapping[bytes, Change] | None = None) -> None:
        self.known = {} if known is None else known
        self.seen: list[tuple[str, ...]] = []
        self.changed = self.unchanged = 0
        self._kept: list[int] = []

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        assert os.path.samestat(os.fstat(fd), status)
        assert os.get_inheritable(fd) is False
        self.seen.append(("visited", path, stat.filemode(status.st_mode)))
        if status.st_ino % 3:
            return False
        self._kept.append(fd)
        return True

    def counted(self, changed: int, unchanged: int) -> None:
        self.changed += changed
        self.unchanged += unchanged

    def skip(self, path: str, reason: str) -> None:
        self.seen.append(("skipped", path, reason))

    def walk(self, walk: Walk, top: Path, people: frozenset[int] = frozenset({0})) -> "Recorder":
        """Every descriptor is closed afterwards but for the kept ones, which are closed here."""
        before = set(os.listdir("/proc/self/fd"))
        fd, here = os.open(top, os.O_RDONLY), os.open(".", os.O_RDONLY)
        try:
            walk(fd, Visits(self, self.skip, people, os.fstat(fd).st_dev, DEPTH))
        finally:
            os.fchdir(here)
            for opened in (fd, here, *self._kept):
                os.close(opened)
            assert set(os.listdir("/proc/self/fd")) == before
        return self


def grow(top: Path, rng: random.Random, depth: int = 0) -> None:
    """Some of everything, with names of any bytes but / and NUL."""
    for number in range(rng.randrange(1, 9)):
        name = rng.randbytes(rng.choice([1, 3, 20, 250])).translate(bytes.maketrans(b"/\0", b"\n\xff"))
        path = top / os.fsdecode(b"%d" % number + name)
        kind = rng.randrange(8)
        if kind < 3 and depth < DEPTH + 2:
            path.mkdir()
            grow(path, rng, depth + 1)
        elif kind < 5:
            path.write_bytes(b"x")
            path.chmod(rng.randrange(0o1000))
            if rng.random() < 0.2:
                os.link(path, top / f"{number}-link")
        elif kind == 5:
            path.symlink_to(rng.choice(["/etc", "nowhere", ".."]))
        elif kind == 6:
            os.mkfifo(path)
        else:
            path.write_bytes(b"")
            if os.geteuid() == 0:
                os.chown(path, rng.randrange(3), 0)


@pytest.mark.parametrize("seed", range(20))
def test_both_meet_the_same(tmp_path: Path, seed: int) -> None:
    grow(tmp_path, random.Random(seed))
    people = frozenset({os.geteuid(), 1})
    compiled, python = (Recorder().walk(walk, tmp_path, people) for walk in (walk_compiled, walk_in_python))
    assert sorted(compiled.seen) == sorted(python.seen)
    assert (compiled.changed, compiled.unchanged) == (0, 0)


@WALKS
def test_folders_are_entered_to_a_depth(tmp_path: Path, walk: Walk) -> None:
    (tmp_path / Path(*"abcdefghijkl")).mkdir(parents=True)
    deepest = "/".join("abcdefgh")
    assert Recorder().walk(walk, tmp_path, frozenset({os.geteuid()})).seen[-2:] == [
        ("visited", deepest, "drwxr-xr-x"),
        ("skipped", deepest, f"more than {DEPTH} folders deep"),
    ]


@WALKS
def test_many_entries_and_an_empty_folder(tmp_path: Path, walk: Walk) -> None:
    """More than one call of the kernel gives."""
    (tmp_path / "empty").mkdir()
    for number in range(3000):
        (tmp_path / f"a-rather-long-name-{number:060}").touch()
    seen = Recorder().walk(walk, tmp_path, frozenset({os.geteuid()})).seen
    assert sorted(path for _, path, _ in seen) == sorted(os.listdir(tmp_path))


@WALKS
def test_a_folder_that_goes_while_it_is_walked(tmp_path: Path, walk: Walk) -> None:
    (tmp_path / "gone").mkdir()

    class Remover(Recorder):
        def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
            os.rmdir(tmp_path / path)
            return super().visit(fd, status, path)

    assert len(Remover().walk(walk, tmp_path, frozenset({os.geteuid()})).seen) == 1


class Broken(Recorder):
    """Fails at one object."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        if path == self._at:
            os.close(fd)
            raise OSError(errno.EIO, "broken")
        return super().visit(fd, status, path)


@WALKS
@pytest.mark.parametrize("at", ["a", "a/b", "a/b/file", "z"])
def test_an_error_ends_the_walk_and_leaves_nothing_open(tmp_path: Path, walk: Walk, at: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    (tmp_path / "z").touch()
    with pytest.raises(OSError, match="broken"):
        Broken(at).walk(walk, tmp_path, frozenset({os.geteuid()}))


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    one, other = socket.socketpair()
    with one, other:
        for walk in (walk_compiled, walk_in_python):
            with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
                walk(one.fileno(), Visits(Recorder(), print, frozenset(), 0, DEPTH))


@pytest.mark.parametrize(
    "value", [None, (), (b"x", None, None, False), (1, None, b"", False), [None, None, b"", False]]
)
def test_a_decision_of_another_form_is_refused(tmp_path: Path, value: object) -> None:
    (tmp_path / "file").touch()
    known = {attributes.key((tmp_path / "file").stat(), None, None): value}
    with pytest.raises((TypeError, SystemError)):
        Recorder(known).walk(walk_compiled, tmp_path)  # type: ignore[arg-type]


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    """Files and a folder, a file with two names, and one with a list."""
    for name in ("one", "two", "three", "twin", "listed"):
        (tmp_path / name).touch(0o644)
    os.link(tmp_path / "twin", tmp_path / "second-name")
    (tmp_path / "folder").mkdir(0o755)
    os.setxattr(tmp_path / "listed", ACCESS, LISTED)
    return tmp_path


LISTED = encode(Acl(6, 4, 4, 6, {9: 6}, {}))
PRESET = encode(Acl(7, 5, 5, 7, {9: 7}, {}))


def test_what_is_known_is_done_without_a_visit(objects: Path) -> None:
    file, folder = (objects / "one").stat(), (objects / "folder").stat()
    known = {
        attributes.key(file, None, None): (LISTED, None, encode(of_mode(0o644)), False),
        attributes.key((objects / "listed").stat(), LISTED, None): (None, None, LISTED, False),
        attributes.key(folder, None, None): (PRESET, PRESET, encode(of_mode(0o755)), False),
    }
    recorder = Recorder(known).walk(walk_compiled, objects)
    assert sorted(path for _, path, _ in recorder.seen) == ["second-name", "twin"]
    assert (recorder.changed, recorder.unchanged) == (4, 1)
    assert [os.getxattr(objects / name, ACCESS) for name in ("one", "two", "three", "listed")] == [LISTED] * 4
    assert [os.getxattr(objects / "folder", name) for name in (ACCESS, DEFAULT)] == [PRESET] * 2
    assert os.listxattr(objects / "twin") == []


def test_what_looks_different_is_visited(objects: Path) -> None:
    """In mode, owner or a list; and what needs nothing is peeked at but not changed."""
    one = (objects / "one").stat()
    known = {attributes.key(one, None, None): (None, None, b"", False)}
    (objects / "two").chmod(0o640)
    recorder = Recorder(known).walk(walk_compiled, objects)
    assert sorted(path for _, path, _ in recorder.seen) == ["folder", "listed", "second-name", "twin", "two"]
    assert (recorder.changed, recorder.unchanged) == (0, 2)


@pytest.mark.root
def test_somebody_elses_file_is_not_known(objects: Path) -> None:
    known = {attributes.key((objects / "one").stat(), None, None): (LISTED, None, b"", False)}
    os.chown(objects / "two", 1, 0)
    recorder = Recorder(known).walk(walk_compiled, objects)
    assert ("skipped", "two", "belongs to somebody who is not in the project") in recorder.seen
    assert os.listxattr(objects / "two") == []


def test_a_folder_gets_both_lists_or_none(objects: Path) -> None:
    folder = (objects / "folder").stat()
    before = encode(of_mode(0o755))
    known = {attributes.key(folder, None, None): (PRESET, b"no list", before, False)}
    recorder = Recorder(known).walk(walk_compiled, objects)
    assert ("visited", "folder", "drwxr-xr-x") in recorder.seen
    assert os.listxattr(objects / "folder") == []
    known = {attributes.key(folder, None, None): (b"no list", NO_DEFAULT, before, False)}
    assert ("visited", "folder", "drwxr-xr-x") in Recorder(known).walk(walk_compiled, objects).seen


def test_lists_of_any_length(objects: Path) -> None:
    """Longer than what is read in one piece, too: then it is visited."""
    for count, is_known in ((1, True), (200, True), (503, True)):
        acl = encode(Acl(6, 4, 4, 6, {100_000 + number: 6 for number in range(count)}, {}))
        os.setxattr(objects / "one", ACCESS, acl)
        known = {attributes.key((objects / "one").stat(), acl, None): (None, None, acl, False)}
        recorder = Recorder(known).walk(walk_compiled, objects)
        assert (("visited", "one", "-rw-rw-r--") not in recorder.seen) == is_known, count


@contextmanager
def mounted(where: Path, *argv: str) -> Iterator[None]:
    """A file system in this place."""
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", *argv, str(where)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


@pytest.mark.root
@WALKS
def test_another_file_system_is_not_entered(tmp_path: Path, walk: Walk) -> None:
    (tmp_path / "file").touch()
    with mounted(tmp_path / "memory", "-t", "tmpfs", "none"):
        (tmp_path / "memory" / "inside").touch()
        seen = Recorder().walk(walk, tmp_path).seen
    assert sorted(seen) == [("skipped", "memory", "another file system"), ("visited", "file", "-rw-r--r--")]


@pytest.mark.root
@WALKS
def test_a_file_system_that_does_not_tell_types(tmp_path: Path, walk: Walk) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(4 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-O", "^filetype,^has_journal", str(image)], check=True)
    with mounted(tmp_path / "top", "-o", "loop", str(image)):
        top = tmp_path / "top"
        (top / "a" / "b").mkdir(parents=True)
        (top / "a" / "file").touch()
        (top / "link").symlink_to("/etc")
        os.mkfifo(top / "pipe")
        seen = Recorder().walk(walk, top).seen
    assert sorted(path for _, path, _ in seen) == ["a", "a/b", "a/file", "lost+found"]

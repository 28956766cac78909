"""The walk of one person over a tree, as it is done on NFS."""

import os
from pathlib import Path

import pytest

from rserver_acls.outcome import Outcome
from rserver_acls.remote_walk import RemoteWalk
from rserver_acls.walls import Identity

pytestmark = pytest.mark.root

OWNER, MEMBER, STRANGER = 41_001, 41_002, 41_003
PEOPLE = frozenset({OWNER, MEMBER})


class Seen:
    """A visitor that keeps every other descriptor."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.kept: list[int] = []
        self.is_finished = False

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        assert os.fstat(fd).st_ino == status.st_ino
        self.paths.append(path)
        if len(self.paths) % 2:
            self.kept.append(fd)
            return True
        return False

    def finish(self) -> None:
        self.is_finished = True
        for fd in self.kept:
            os.close(fd)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    for folder, uid in (("", OWNER), ("a", OWNER), ("theirs", MEMBER), ("theirs/in", OWNER), ("foreign", STRANGER)):
        (top / folder).mkdir()
        os.chown(top / folder, uid, uid)
    for file, uid in (("f", OWNER), ("a/m", MEMBER), ("theirs/in/f", OWNER), ("foreign/f", OWNER), ("s", STRANGER)):
        (top / file).touch()
        os.chown(top / file, uid, uid)
    (top / "link").symlink_to("/etc")
    os.mkfifo(top / "fifo")
    return top


def walk(
    top: Path, visitor: Seen | None, who: int = OWNER, depth: int = 50, *, takes: bool = False
) -> tuple[RemoteWalk, Outcome]:
    outcome = Outcome()
    made = RemoteWalk(visitor, outcome, Identity(who, who, (), ()), PEOPLE, depth, takes=takes, is_guest=who != OWNER)
    before = len(os.listdir("/proc/self/fd"))
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    made.run(fd)
    os.close(fd)
    assert len(os.listdir("/proc/self/fd")) == before
    return made, outcome


def test_everybody_has_a_walk_of_his_own(tree: Path) -> None:
    owners, members = Seen(), Seen()
    made, outcome = walk(tree, owners)
    assert sorted(owners.paths) == [".", "a", "f", "theirs/in", "theirs/in/f"]
    assert made.others == {MEMBER}
    assert {entry["path"] for entry in outcome.to_json()["skipped"]} == {"foreign", "s"}
    made, _ = walk(tree, members, MEMBER)
    assert sorted(members.paths) == ["a/m", "theirs"]
    assert made.others == {OWNER}
    assert owners.is_finished
    assert members.is_finished


def test_a_census_opens_no_file(tree: Path) -> None:
    made, _ = walk(tree, None)
    assert made.others == PEOPLE


def test_a_bit_that_would_be_lost(tree: Path) -> None:
    """Who takes entries away does it all the same."""
    os.chown(tree / "a", OWNER, MEMBER)
    (tree / "a").chmod(0o2755)
    seen = Seen()
    _, outcome = walk(tree, seen)
    assert "a" not in seen.paths
    assert outcome.unfinished
    seen = Seen()
    walk(tree, seen, takes=True)
    assert "a" in seen.paths


@pytest.mark.parametrize("takes", [False, True])
def test_what_is_too_deep_is_told(tree: Path, takes: bool) -> None:
    """It is unfinished when somebody keeps by it what he should lose."""
    _, outcome = walk(tree, Seen(), depth=2, takes=takes)
    assert "theirs/in" in {entry["path"] for entry in outcome.to_json()["skipped"]}
    assert outcome.unfinished == takes

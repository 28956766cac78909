"""One object, met by the run that shares it and by the one that takes it back."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_acls.acl import ACCESS, Acl, encode
from rserver_acls.changer import Changer
from rserver_acls.manifest import Manifest
from rserver_acls.outcome import Outcome
from rserver_acls.plan import Plan

pytestmark = pytest.mark.root

OWNER, EVE, ALICE = 40_001, 40_002, 40_003
NOBODY = frozenset[int]()


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """A file of the owner's."""
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT, 0o640)
    os.fchown(opened, OWNER, OWNER)
    yield opened
    os.close(opened)


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    opened = os.open(tmp_path / "lists", os.O_RDWR | os.O_CREAT)
    yield Manifest(opened)
    os.close(opened)


def visit(fd: int, manifest: Manifest, plan: Plan, times: int, since: int = 0) -> None:
    """In one run."""
    changer = Changer(plan, manifest, Outcome(), dry=False)
    changer.begun_at(since)
    for _ in range(times):
        if changer.visit(kept := os.dup(fd), os.fstat(fd), "file"):
            changer.finish()
        else:
            os.close(kept)
    changer.finish()


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("with_eve", [False, True])
def test_met_again_since_it_was_moved(fd: int, manifest: Manifest, times: int, with_eve: bool) -> None:
    """A member moves a folder to where the walk has not been yet; what it gave there is not taken for the owner's."""
    members = frozenset({EVE}) if with_eve else NOBODY
    if with_eve:
        visit(fd, manifest, Plan(OWNER, NOBODY, members, NOBODY, members, members), 1, time.time_ns())
    before = Path(f"/proc/self/fd/{fd}").stat().st_mode, _lists(fd)
    alice = frozenset({ALICE})
    started = time.clock_gettime_ns(5)
    visit(fd, manifest, Plan(OWNER, members, members | alice, NOBODY, members | alice, alice), times, started)
    assert manifest.is_empty
    assert _lists(fd) != before[1]
    visit(fd, manifest, Plan(OWNER, members | alice, NOBODY, alice, members), 1)
    assert (Path(f"/proc/self/fd/{fd}").stat().st_mode, _lists(fd)) == before


def test_somebody_else_is_named_in_between(fd: int, manifest: Manifest) -> None:
    """Then there is something to be recorded, but not what this run has given."""
    alice, started = frozenset({ALICE}), time.clock_gettime_ns(5)
    plan = Plan(OWNER, NOBODY, alice, NOBODY, alice, alice)
    visit(fd, manifest, plan, 1, started)
    os.setxattr(fd, ACCESS, encode(Acl(6, 4, 0, 6, {ALICE: 6, EVE: 4}, {})))
    visit(fd, manifest, plan, 1, started)
    visit(fd, manifest, Plan(OWNER, alice, NOBODY, alice, NOBODY), 1)
    assert os.getxattr(fd, ACCESS) == encode(Acl(6, 4, 0, 4, {EVE: 4}, {}))


def test_what_she_had_before_stays_hers(fd: int, manifest: Manifest) -> None:
    own = encode(Acl(6, 4, 0, 4, {ALICE: 4}, {}))
    os.setxattr(fd, ACCESS, own)
    alice, changed = frozenset({ALICE}), os.fstat(fd).st_ctime_ns
    visit(fd, manifest, Plan(OWNER, NOBODY, alice, NOBODY, alice, alice), 2, changed + 1)
    visit(fd, manifest, Plan(OWNER, alice, NOBODY, alice, NOBODY), 1)
    assert os.getxattr(fd, ACCESS) == own


def _lists(fd: int) -> list[bytes]:
    return [os.getxattr(fd, name) for name in sorted(os.listxattr(fd))]

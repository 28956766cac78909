"""Both walks make the same of trees with any lists, step by step, and unsharing makes of them what they were."""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rserver_acls import _native
from rserver_acls.acl import ACCESS, DEFAULT, Acl, encode
from rserver_acls.changer import Changer
from rserver_acls.manifest import Manifest
from rserver_acls.outcome import Outcome
from rserver_acls.plan import Plan
from rserver_acls.tree import Visits, walk_in_python

pytestmark = pytest.mark.root

CLOCK_REALTIME_COARSE = 5
OWNER, ALICE, EVE = 40_001, 40_002, 40_003
NOBODY, ONE, BOTH = frozenset[int](), frozenset({ALICE}), frozenset({ALICE, EVE})
STEPS = (
    Plan(OWNER, NOBODY, ONE, NOBODY, ONE, ONE),
    Plan(OWNER, ONE, ONE, NOBODY, ONE),
    Plan(OWNER, ONE, BOTH, NOBODY, BOTH, frozenset({EVE})),
    Plan(OWNER, BOTH, NOBODY, ONE, frozenset({EVE})),
    Plan(OWNER, frozenset({EVE}), NOBODY, frozenset({EVE}), NOBODY),
)
Walk = Callable[[int, Visits], None]


def walk_compiled(top: int, visits: Visits) -> None:
    _native.walk(top, visits.device, visits.depth, visits.known, visits)


def plant(top: Path, rng: random.Random, depth: int = 0) -> None:
    """Mostly alike, as projects are, some with lists of their own."""
    for number in range(rng.randrange(3, 9)):
        path = top / f"{number}"
        if rng.random() < 0.3 and depth < 4:
            path.mkdir()
            plant(path, rng, depth + 1)
        else:
            path.touch()
            if rng.random() < 0.1:
                os.link(path, top / f"{number}-too")
        os.chown(path, rng.choice([OWNER] * 8 + [1]), OWNER)
        path.chmod(rng.choice([0o644, 0o644, 0o755, 0o2770, rng.randrange(0o1000)]))
        for name in (ACCESS, DEFAULT) if path.is_dir() else (ACCESS,):
            if rng.random() < 0.25:
                os.setxattr(path, name, encode(any_acl(rng, 240 if path.is_dir() else 490)))


def any_acl(rng: random.Random, most: int) -> Acl:
    """most: users that fit."""

    def named(*numbers: int) -> dict[int, int]:
        return {number: rng.randrange(8) for number in numbers if rng.random() < 0.4}

    users, groups = named(OWNER, ALICE, EVE, 7), named(1, 2)
    if rng.random() < 0.05:
        users |= {100_000 + number: 4 for number in range(rng.choice([150, most]))}
    mask = rng.randrange(8) if users or groups or rng.random() < 0.5 else None
    return Acl(rng.randrange(8), rng.randrange(8), rng.randrange(8), mask, users, groups)


def lists(top: Path) -> Iterator[tuple[str, int, dict[str, bytes]]]:
    """Of everything below top."""
    for path in sorted(top.rglob("*")):
        yield str(path.relative_to(top)), path.stat().st_mode, {k: os.getxattr(path, k) for k in os.listxattr(path)}


def run(walk: Walk, top: Path, plan: Plan, manifest: Manifest, *, dry: bool = False) -> dict[str, Any]:
    outcome = Outcome()
    changer = Changer(plan, manifest, outcome, dry=dry)
    changer.begun_at(next_tick() if plan.joining else 0)
    fd, here = os.open(top, os.O_RDONLY), os.open(".", os.O_RDONLY)
    try:
        walk(fd, Visits(changer, outcome.skip, plan.people, os.fstat(fd).st_dev, 50))
        changer.finish()
    finally:
        os.fchdir(here)
        os.close(fd)
        os.close(here)
    answer = outcome.to_json()
    return {**answer, "skipped": sorted(answer["skipped"], key=str)}


def next_tick() -> int:
    """The time by the coarse clock, once it is past the finer dates of what was changed before."""
    before = time.time_ns()
    while (now := time.clock_gettime_ns(CLOCK_REALTIME_COARSE)) <= before:
        os.sched_yield()
    return now


@pytest.mark.parametrize("seed", range(12))
def test_both_make_the_same(tmp_path: Path, seed: int) -> None:
    tops = [tmp_path / "compiled", tmp_path / "python"]
    manifests = [Manifest(os.open(f"{top}.lists", os.O_RDWR | os.O_CREAT)) for top in tops]
    for top in tops:
        top.mkdir()
        plant(top, random.Random(seed))
    before = list(lists(tops[0]))
    assert list(lists(tops[1])) == before
    for plan in STEPS:
        compiled, python = map(run, (walk_compiled, walk_in_python), tops, [plan] * 2, manifests)
        assert compiled == python
        assert list(lists(tops[0])) == list(lists(tops[1]))
        again = [
            run(walk, tops[0], plan, manifests[0], dry=True)["changed"] for walk in (walk_compiled, walk_in_python)
        ]
        assert again[0] == again[1]
    assert list(lists(tops[0])) == before

"""What the walled-in process does: opens the project, lets itself be walled in, asks for leave, changes the lists."""

import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rserver_acls import attributes
from rserver_acls.changer import Changer
from rserver_acls.manifest import Manifest
from rserver_acls.nfs4 import NAME as NFS4
from rserver_acls.outcome import Outcome
from rserver_acls.passage import Passage, open_passage
from rserver_acls.plan import Plan
from rserver_acls.refusal import Refusal
from rserver_acls.tree import Visits, walk
from rserver_acls.walls import Identity, become, close_in, most_descriptors
from rserver_acls.way import Way, open_way

# Two are open for each folder on the way down.
_SPARE_DESCRIPTORS = 300
_PROGRESS_SECONDS = 0.25


class Errand(NamedTuple):
    """One run. passages: by path of a folder above the project. first_owner: open files as the account already."""

    path: str
    owner: int
    home: str
    root: str
    identity: Identity
    first_owner: bool
    plan: Plan
    passages: dict[str, Passage]
    since: int
    expected: int
    dry: bool
    shows_progress: bool


def carry_out(errand: Errand, manifest_fd: int, way_fd: int, leave: Callable[[], None]) -> dict[str, Any]:
    """The fields of a good answer; Refusal before anything is changed. leave() returns when it may begin."""
    if errand.first_owner:
        become(errand.identity)
    way = open_way(errand.path, errand.owner, errand.home, errand.root)
    _check_supported(way)
    manifest, way_manifest = Manifest(manifest_fd), Manifest(way_fd)
    if not errand.first_owner:
        become(errand.identity)
    depth = (most_descriptors() - _SPARE_DESCRIPTORS) // 2
    confined = close_in(way.project.fd)
    leave()
    outcome = Outcome()
    changer = Changer(
        errand.plan, manifest, outcome, _Progress(errand) if errand.shows_progress else None, dry=errand.dry
    )
    changer.begun_at(errand.since)
    # Who leaves is kept out at once; who comes finds everything ready.
    if errand.plan.leaving:
        _open_passages(way, errand, way_manifest, outcome)
        _walk(way, changer, outcome, errand.plan.people, depth)
    else:
        _walk(way, changer, outcome, errand.plan.people, depth)
        _open_passages(way, errand, way_manifest, outcome)
    return {"acl": "posix", **outcome.to_json(), "unfinished": outcome.unfinished, "confined": confined}


def _check_supported(way: Way) -> None:
    if NFS4 in os.listxattr(way.project.fd):
        message = "The project lies on a file system with NFSv4 access control lists, which cannot be changed yet."
        raise Refusal("unsupported", message)
    if not attributes.is_supported(way.project.fd):
        raise Refusal("unsupported", "The file system of the project keeps no access control lists.")


def _walk(way: Way, changer: Changer, outcome: Outcome, people: frozenset[int], depth: int) -> None:
    project = way.project
    # Its descriptor may be kept until the end, the walk closes its own.
    top, status = os.dup(project.fd), os.fstat(project.fd)
    if not changer.visit(top, status, "."):
        os.close(top)
    walk(project.fd, Visits(changer, outcome.skip, people, status.st_dev, depth))
    changer.finish()


def _open_passages(way: Way, errand: Errand, manifest: Manifest, outcome: Outcome) -> None:
    if errand.dry:
        return
    for folder in way.above:
        if folder.path in errand.passages:
            open_passage(folder, errand.passages[folder.path], manifest, outcome)


class _Progress:
    """Tells how far it is, now and then."""

    def __init__(self, errand: Errand) -> None:
        self._expected = errand.expected or None
        self._next = time.monotonic() + _PROGRESS_SECONDS

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            line = json.dumps({"progress": {"done": done, "expected": self._expected}})
            os.write(1, line.encode() + b"\n")

"""What the walled-in process does: opens the project, lets itself be walled in, asks for leave, changes the lists."""

import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rserver_acls.attributes import is_immutable
from rserver_acls.filesystem import NFS4, Work, kind_of, nfs4_changer, open_passage, posix_changer
from rserver_acls.manifest import Manifest
from rserver_acls.nfs4_principals import Principals
from rserver_acls.outcome import Outcome
from rserver_acls.passage import Passage
from rserver_acls.plan import Plan
from rserver_acls.refusal import Refusal
from rserver_acls.remote_walk import RemoteWalk
from rserver_acls.store import NOWHERE, Place
from rserver_acls.tree import Visits, walk
from rserver_acls.walls import Identity, become, close_in, most_descriptors
from rserver_acls.way import Way, open_way

# Two are open for each folder on the way down.
_SPARE_DESCRIPTORS = 300
_PROGRESS_SECONDS = 0.25


class Errand(NamedTuple):
    """One run. passages: by path of a folder above the project. first_owner: open files as the account already.

    is_remote: on NFS, where this account changes its own files only. is_census: changes nothing, and tells only whose
    files there are. names, domain: how an NFS server may call the people of these uids. place: the folder that
    the books mean.
    """

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
    is_remote: bool
    names: dict[int, str]
    domain: str
    place: Place
    is_census: bool = False


def carry_out(errand: Errand, manifest_fd: int, way_fd: int, leave: Callable[[], None]) -> dict[str, Any]:
    """The fields of a good answer; Refusal before anything is changed. leave() returns when it may begin."""
    if errand.first_owner:
        become(errand.identity)
    is_member = errand.is_remote and errand.identity.uid != errand.owner
    way = open_way(errand.path, errand.owner, errand.home, errand.root, can_look=not is_member)
    kind = kind_of(way.project.fd)
    _check(errand, way.project.fd)
    manifest, way_manifest = Manifest(manifest_fd), Manifest(way_fd)
    if not errand.first_owner:
        become(errand.identity)
    run = _Run(errand, way, kind, manifest, way_manifest)
    confined = close_in(way.project.fd, with_modes=errand.is_remote)
    leave()
    # Who leaves is kept out at once; who comes finds everything ready.
    if errand.plan.leaving:
        run.open_passages()
    run.walk()
    if not errand.plan.leaving:
        run.open_passages()
    return {"acl": kind, **run.outcome.to_json(), **run.remarks(), "confined": confined}


def _check(errand: Errand, fd: int) -> None:
    """Refusal."""
    status = os.fstat(fd)
    if errand.place not in {NOWHERE, (status.st_dev, status.st_ino)}:
        raise Refusal("busy", f"{errand.path} was replaced while it was looked at; try again.")
    if not errand.plan.giving or errand.dry:
        return
    if os.fstatvfs(fd).f_flag & os.ST_RDONLY:
        raise Refusal("read_only", f"{errand.path} is read-only at the moment: access to it cannot be changed.")
    if is_immutable(fd):
        raise Refusal("read_only", f"{errand.path} was made immutable: access to it cannot be changed.")


class _Run:
    """What is done within the walls; made before them."""

    def __init__(self, errand: Errand, way: Way, kind: str, manifest: Manifest, way_manifest: Manifest) -> None:
        self._errand, self._way, self._kind = errand, way, kind
        self._manifest, self._way_manifest = manifest, way_manifest
        self._principals = Principals(errand.names, errand.domain)
        self._depth = (most_descriptors() - _SPARE_DESCRIPTORS) // 2
        self._others = set[int]()
        self.outcome = Outcome()

    def remarks(self) -> dict[str, Any]:
        """For the starter alone. others: whose files were left to them."""
        return {"unfinished": self.outcome.unfinished, "others": sorted(self._others)}

    def walk(self) -> None:
        """Change the project's folder and everything below."""
        if self._errand.is_remote:
            self._walk_remote()
        else:
            self._walk_local()

    def open_passages(self) -> None:
        """Change the folders above it."""
        errand = self._errand
        if errand.dry or errand.is_census:
            return
        for folder in self._way.above:
            if folder.path in errand.passages:
                open_passage(folder, errand.passages[folder.path], self._way_manifest, self.outcome, self._principals)

    def _walk_local(self) -> None:
        project, people = self._way.project, self._errand.plan.people
        changer = posix_changer(self._work())
        # Its descriptor may be kept until the end, the walk closes its own.
        top, status = os.dup(project.fd), os.fstat(project.fd)
        if not changer.visit(top, status, "."):
            os.close(top)
        walk(project.fd, Visits(changer, self.outcome.skip, people, status.st_dev, self._depth))
        changer.finish()

    def _walk_remote(self) -> None:
        errand, work = self._errand, self._work()
        changer = nfs4_changer(work, self._principals) if self._kind == NFS4 else posix_changer(work)
        walk = RemoteWalk(
            None if errand.is_census else changer,
            self.outcome,
            errand.identity,
            errand.plan.people,
            self._depth,
            takes=bool(errand.plan.leaving),
            is_guest=errand.identity.uid != errand.owner,
        )
        walk.run(self._way.project.fd)
        self._others = walk.others - {errand.identity.uid}

    def _work(self) -> Work:
        errand = self._errand
        progress = _Progress(errand) if errand.shows_progress else None
        return Work(errand.plan, self._manifest, self.outcome, progress, errand.since, errand.dry)


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

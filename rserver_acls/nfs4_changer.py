"""Does to every object of an NFSv4 mount what the plan says: recorded before it is changed."""

import os
import stat
from collections.abc import Callable
from errno import E2BIG, EFBIG, EINVAL, EMSGSIZE, ENOSPC, EPERM, ERANGE
from typing import NamedTuple

from rserver_acls.manifest import Manifest
from rserver_acls.nfs4_object import Nfs4Object, Recorded, TooLong
from rserver_acls.nfs4_plan import Lists, newly_named, revoked, shared, unshared, without_ours
from rserver_acls.nfs4_principals import Principals
from rserver_acls.outcome import Outcome
from rserver_acls.plan import Plan
from rserver_core.nfs4_list import BadNfs4Acl

Progress = Callable[[int], None]

_MOST_KEPT = 128
_KEPT_HANDED = (
    "the NFS server keeps default lists in folders; they name no member any more, but what is made there has rights "
    "like its folder's, whatever the umask"
)
_NO_ROOM = "no room for more entries in its access control list"
_REASONS = {
    **dict.fromkeys((E2BIG, EFBIG, EMSGSIZE, ENOSPC, ERANGE), _NO_ROOM),
    EINVAL: "the NFS server does not know one of the people, by number or by name",
    EPERM: "the NFS server forbids changes of it (immutable?)",
}


class _Kept(NamedTuple):
    thing: Nfs4Object
    path: str
    wanted: Lists


class Nfs4Changer:
    """The visitor of a walk as the owner of what is visited. dry: nothing is changed, only counted."""

    def __init__(
        self,
        plan: Plan,
        manifest: Manifest,
        outcome: Outcome,
        principals: Principals,
        progress: Progress | None = None,
        *,
        dry: bool,
    ) -> None:
        """progress is called now and then with the number of objects that were looked at."""
        self._plan, self._manifest, self._outcome, self._principals = plan, manifest, outcome, principals
        self._progress, self._dry = progress, dry
        self._kept: list[_Kept] = []

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        """Change one object; True when its descriptor is kept until finish()."""
        if self._progress:
            self._progress(self._outcome.changed + self._outcome.unchanged)
        try:
            thing = Nfs4Object(fd, status, self._principals)
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                self._several_names(thing, path)
                return False
            return self._change(thing, path)
        except (OSError, BadNfs4Acl, TooLong) as error:
            self._outcome.fail(path, _reason(error))
            return False

    def finish(self) -> None:
        """Everything recorded is on the disk, and what waited for that is changed."""
        self._manifest.flush()
        for thing, path, wanted in self._kept:
            self._write(thing, path, wanted)
            os.close(thing.fd)
        self._kept.clear()

    def _change(self, thing: Nfs4Object, path: str) -> bool:
        plan = self._plan
        recorded = thing.recorded(self._manifest) if plan.leaving else None
        wanted = thing.lists
        if plan.leaving:
            wanted = unshared(wanted, recorded.lists if recorded else None, plan, thing.facts)
        wanted = shared(wanted, plan, thing.facts)
        if recorded and wanted == recorded.lists and not self._dry:
            self._count(is_changed=thing.restore(recorded))
            self._note(thing)
            return False
        is_changed = wanted != thing.lists
        is_new = not self._dry and bool(plan.giving) and self._record(thing, is_changed=is_changed)
        if is_changed and is_new:
            self._keep(_Kept(thing, path, wanted))
            return True
        if is_changed and not self._dry:
            self._write(thing, path, wanted)
        else:
            self._count(is_changed=is_changed)
        return False

    def _record(self, thing: Nfs4Object, *, is_changed: bool) -> bool:
        """True when the object is recorded now for the first time."""
        if not (is_changed or newly_named(thing.lists, self._plan)):
            return False
        if self._manifest.find(thing.identity) is not None:
            return False
        thing.record(self._manifest, without_ours(thing.lists, self._plan, thing.facts.uid))
        return True

    def _keep(self, kept: _Kept) -> None:
        """One write to the disk serves many objects. This one's descriptor is still needed by who walks."""
        if len(self._kept) >= _MOST_KEPT:
            self.finish()
        self._kept.append(kept)

    def _write(self, thing: Nfs4Object, path: str, wanted: Lists) -> None:
        try:
            thing.write(wanted)
        except OSError as error:
            self._outcome.fail(path, _reason(error))
        else:
            self._count(is_changed=True)
            self._note(thing)

    def _note(self, thing: Nfs4Object) -> None:
        if thing.keeps_handed:
            self._outcome.note(_KEPT_HANDED)

    def _several_names(self, thing: Nfs4Object, path: str) -> None:
        self._outcome.skip(path, "has several names (hard links), one of which may lie elsewhere")
        if self._dry:
            return
        if not self._plan.leaving:
            self._record(thing, is_changed=False)
            return
        recorded: Recorded | None = thing.recorded(self._manifest)
        less = revoked(thing.lists, recorded.lists if recorded else None, self._plan)
        if less != thing.lists:
            thing.write(less)

    def _count(self, *, is_changed: bool) -> None:
        if is_changed:
            self._outcome.changed += 1
        else:
            self._outcome.unchanged += 1


def _reason(error: OSError | BadNfs4Acl | TooLong) -> str:
    if isinstance(error, BadNfs4Acl):
        return f"its access control list cannot be read: {error}"
    if isinstance(error, TooLong):
        return _NO_ROOM
    return _REASONS.get(error.errno or 0, f"cannot be changed: {error.strerror}")

"""Does to every object what the plan says: recorded before it is changed, changed through its open descriptor."""

import os
import stat
from collections.abc import Callable
from errno import ENOSPC, EOPNOTSUPP, EPERM
from typing import NamedTuple

from rserver_acls import attributes
from rserver_acls.acl import ACCESS, DEFAULT, NO_DEFAULT, BadAcl, decode, encode, of_mode
from rserver_acls.manifest import Manifest, Original
from rserver_acls.outcome import Outcome
from rserver_acls.plan import Lists, Plan, is_ours, revoked, shared, unshared

Progress = Callable[[int], None]

_MOST_KEPT = 128
_MOST_DECISIONS = 4096
_REASONS = {
    ENOSPC: "no room for more entries in its access control list",
    EPERM: "the file system forbids changes of it (immutable?)",
    EOPNOTSUPP: "its file system keeps no access control lists",
}


class Decision(NamedTuple):
    """New extended attributes; None: stays as it is. record: what the object has must be written down first."""

    access: bytes | None
    default: bytes | None
    old_access: bytes
    record: bool


class _Kept(NamedTuple):
    fd: int
    path: str
    decision: Decision


class Changer:
    """The visitor of a walk. dry: nothing is changed, only counted."""

    def __init__(
        self, plan: Plan, manifest: Manifest, outcome: Outcome, progress: Progress | None = None, *, dry: bool
    ) -> None:
        """progress is called now and then with the number of objects that were looked at."""
        self._progress = progress
        self._plan, self._manifest, self._outcome, self._dry = plan, manifest, outcome, dry
        self._looks_back = bool(plan.leaving) and not manifest.is_empty
        self._decisions: dict[tuple[bytes, bool], Decision] = {}
        self._kept: list[_Kept] = []
        self._since = 0
        # Empty where an object's key alone does not tell what is to be done.
        self.known: dict[bytes, Decision] = {}

    def begun_at(self, nanoseconds: int) -> None:
        """When the first run began that gives whoever joins something, this one or one broken off; 0: nobody joins."""
        self._since = nanoseconds

    def counted(self, changed: int, unchanged: int) -> None:
        """So many more objects were changed, or needed nothing, in the way that is known."""
        self._outcome.changed += changed
        self._outcome.unchanged += unchanged
        self._tell_progress()

    def visit(self, fd: int, status: os.stat_result, path: str) -> bool:
        """Change one object; True when its descriptor is kept until finish()."""
        self._tell_progress()
        try:
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                self._several_names(fd, status, path)
                return False
            decision = self._decide(fd, status)
        except (OSError, BadAcl) as error:
            self._outcome.fail(path, _reason(error))
            return False
        is_new = decision.record and not self._dry and self._record(fd, status)
        if is_new and (decision.access is not None or decision.default is not None):
            self._keep(_Kept(fd, path, decision))
            return True
        self._apply(fd, path, decision)
        return False

    def _keep(self, kept: _Kept) -> None:
        """One write to the disk serves many objects. This one's descriptor is still needed by who walks."""
        if len(self._kept) >= _MOST_KEPT:
            self.finish()
        self._kept.append(kept)

    def _tell_progress(self) -> None:
        if self._progress:
            self._progress(self._outcome.changed + self._outcome.unchanged)

    def finish(self) -> None:
        """Everything recorded is on the disk, and what waited for that is changed."""
        self._manifest.flush()
        for kept in self._kept:
            self._apply(kept.fd, kept.path, kept.decision)
            os.close(kept.fd)
        self._kept.clear()

    def _decide(self, fd: int, status: os.stat_result) -> Decision:
        access = attributes.read(fd, ACCESS)
        default = attributes.read(fd, DEFAULT) if stat.S_ISDIR(status.st_mode) else None
        is_recent = self._is_recent(status)
        if self._looks_back and (access is not None or default is not None):
            original = self._manifest.find(attributes.identity(fd, status))
            return self._decision(status, access, default, original, is_recent=is_recent)
        key = attributes.key(status, access, default)
        if (decision := self._decisions.get((key, is_recent))) is None:
            decision = self._decision(status, access, default, None, is_recent=is_recent)
            self._remember(key, decision, is_recent=is_recent)
        return decision

    def _remember(self, key: bytes, decision: Decision, *, is_recent: bool) -> None:
        if len(self._decisions) >= _MOST_DECISIONS:
            self._decisions.clear()
            self.known.clear()
        self._decisions[key, is_recent] = decision
        if not (decision.record or is_recent or self._looks_back or self._dry):
            self.known[key] = decision

    def _is_recent(self, status: os.stat_result) -> bool:
        """Entries of who joins may be ours: made by a run that was broken off, or by this one before it was moved."""
        return bool(self._since) and status.st_ctime_ns >= self._since

    def _decision(
        self,
        status: os.stat_result,
        access: bytes | None,
        default: bytes | None,
        original: Original | None,
        *,
        is_recent: bool,
    ) -> Decision:
        plan, is_folder = self._plan, stat.S_ISDIR(status.st_mode)
        lists = _lists(access, default, status.st_mode)
        before = _lists(*original, status.st_mode) if original else None
        wanted = unshared(lists, before, plan, status.st_uid, is_folder) if plan.leaving else lists
        wanted = shared(wanted, plan, status.st_uid, is_folder)
        if original and before and wanted == before:
            changes = _exact(original, lists, default)
        else:
            changes = _changes(lists, wanted)
        new = Decision(*changes, encode(lists.access), False)
        return new._replace(record=bool(plan.giving) and not is_ours(lists, plan, is_folder, is_recent=is_recent))

    def _record(self, fd: int, status: os.stat_result) -> bool:
        """True when this object's lists are recorded now for the first time."""
        identity = attributes.identity(fd, status)
        if self._manifest.find(identity) is not None:
            return False
        self._manifest.add(identity, self._without_ours(fd, status))
        return True

    def _without_ours(self, fd: int, status: os.stat_result) -> Original:
        is_folder = stat.S_ISDIR(status.st_mode)
        access, default = attributes.read_both(fd) if is_folder else (attributes.read(fd, ACCESS), None)
        lists = _lists(access, default, status.st_mode)
        ours = self._plan.before | (self._plan.joining if self._is_recent(status) else frozenset())
        if ours:
            alone = self._plan._replace(leaving=ours, staying=frozenset(), giving=frozenset())
            plain = unshared(lists, None, alone, status.st_uid, is_folder)
            if plain != lists:
                return Original(encode(plain.access), encode(plain.default) if plain.default else None)
        return Original(access or encode(lists.access), default)

    def _several_names(self, fd: int, status: os.stat_result, path: str) -> None:
        self._outcome.skip(path, "has several names (hard links), one of which may lie elsewhere")
        access = attributes.read(fd, ACCESS)
        if access is None or self._dry:
            return
        identity = attributes.identity(fd, status)
        original = self._manifest.find(identity)
        if self._plan.leaving:
            acl = decode(access)
            before = decode(original.access) if original and original.access else None
            less = revoked(acl, before, self._plan)
            if less is not acl:
                os.setxattr(fd, ACCESS, encode(less))
        elif original is None and not is_ours(Lists(decode(access)), self._plan, False, is_recent=False):
            self._manifest.add(identity, Original(access, None))

    def _apply(self, fd: int, path: str, decision: Decision) -> None:
        access, default, old_access, _ = decision
        if access is None and default is None:
            self._outcome.unchanged += 1
            return
        if self._dry:
            self._outcome.changed += 1
            return
        try:
            if access is not None:
                os.setxattr(fd, ACCESS, access)
            if default is not None:
                _set_default(fd, default, old_access if access is not None else None)
        except OSError as error:
            self._outcome.fail(path, _reason(error))
        else:
            self._outcome.changed += 1


def _set_default(fd: int, default: bytes, old_access: bytes | None) -> None:
    """Both lists or none: when the second does not fit, the first becomes what it was."""
    try:
        os.setxattr(fd, DEFAULT, default)
    except OSError:
        if old_access is not None:
            os.setxattr(fd, ACCESS, old_access)
        raise


def _lists(access: bytes | None, default: bytes | None, mode: int) -> Lists:
    return Lists(
        decode(access) if access is not None else of_mode(mode), decode(default) if default is not None else None
    )


def _changes(lists: Lists, wanted: Lists) -> tuple[bytes | None, bytes | None]:
    access = encode(wanted.access) if wanted.access != lists.access else None
    if wanted.default == lists.default:
        return access, None
    return access, encode(wanted.default) if wanted.default else NO_DEFAULT


def _exact(original: Original, lists: Lists, default: bytes | None) -> tuple[bytes | None, bytes | None]:
    """Back to what was recorded, byte for byte."""
    same = original.access == encode(lists.access)
    return None if same else original.access, None if original.default == default else original.default or NO_DEFAULT


def _reason(error: OSError | BadAcl) -> str:
    if isinstance(error, BadAcl):
        return f"its access control list cannot be read: {error}"
    return _REASONS.get(error.errno or 0, f"cannot be changed: {error.strerror}")

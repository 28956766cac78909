"""`rserver-acls`: one request on standard input, one answer on standard output.

The starter keeps the books and never looks into the project; a child that holds almost nothing does the work.
"""

import json
import os
import sys
import time
from typing import Any

from rserver_acls import membership, passes, request, settings
from rserver_acls.capabilities import NEEDED
from rserver_acls.errand import Errand
from rserver_acls.mounts import is_remote
from rserver_acls.outcome import MOST_NAMED
from rserver_acls.passage import Passage, Traveller
from rserver_acls.people import Person, groups_of, person, service_account
from rserver_acls.refusal import Refusal
from rserver_acls.request import Request
from rserver_acls.settings import Settings
from rserver_acls.store import LEAVING, MEMBER, NOWHERE, Place, Project, Store
from rserver_acls.walls import Identity
from rserver_core.nfs4_domain import domain_of_machine

_NO_MEMBER = "the project is not shared with this account; entries that name it were left as they are"
# The kernel dates changes by this clock, which may be some milliseconds behind.
_CLOCK_REALTIME_COARSE = 5


def run(arguments: list[str]) -> int:
    """The exit code: 0 done, 1 refused, 2 bad request, 3 unsupported file system."""
    started = time.monotonic()
    try:
        options = settings.parse(arguments)
        asked = request.parse(request.read(0))
        answer, code = _carry_out(asked, options), 0
        answer = {"version": 1, "ok": True, **answer, "elapsed_ms": round((time.monotonic() - started) * 1000)}
    except Refusal as refusal:
        answer, code = _refused(refusal), refusal.exit
    except OSError as error:
        failure = Refusal("failed", f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
        answer, code = _refused(failure), failure.exit
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return code


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"version": 1, "ok": False, "error": {"code": refusal.code, "message": refusal.sentence}}


def _carry_out(asked: Request, options: Settings) -> dict[str, Any]:
    owner = person(asked.owner, options.minimum_uid)
    if os.geteuid() not in {0, owner.uid}:
        raise Refusal("failed", "Only root, or the owner alone, can change access to the owner's files.")
    store = Store(options.state, owner.uid)
    try:
        return _Run(asked, options, owner, store).carry_out()
    finally:
        store.close()


class _Run:
    """One request of an owner whose books are locked."""

    def __init__(self, asked: Request, options: Settings, owner: Person, store: Store) -> None:
        self._asked, self._options, self._owner, self._store = asked, options, owner, store
        self._place = _place_of(asked.project_dir)
        moves = asked.action in {"share", "unshare"}
        self._moved_from = store.adopt(asked.project_dir, self._place) if moves else ""
        self._before = store.project(asked.project_dir)
        now = time.clock_gettime_ns(_CLOCK_REALTIME_COARSE)
        self._strangers = self._named_in_vain()
        begun = membership.begun(self._before, asked, self._uids(), now)
        self._now = begun._replace(place=self._place if self._place != NOWHERE else begun.place)

    def carry_out(self) -> dict[str, Any]:
        """The fields of a good answer; Refusal."""
        if self._asked.action == "unshare" and not self._now.people:
            return self._with_strangers(self._nothing())
        manifests = self._store.open_manifest(self._before), self._store.open_way()
        try:
            result = passes.carry_out(self._errand(), manifests, lambda: self._remember(self._now))
        except Refusal as refusal:
            if refusal.code == "absent" and self._asked.action == "unshare":
                # The folder may turn up elsewhere, where nobody is to keep anything.
                self._remember(self._now)
            raise
        result.pop("others", None)
        done = result["changed"] + result["unchanged"]
        unfinished = result.pop("unfinished")
        if self._asked.action == "status":
            return {**result, "members": self._members(self._before)}
        after = membership.ended(self._now, self._asked, unfinished=unfinished, expected=done)
        self._remember(after)
        moved = {"moved_from": self._moved_from} if self._moved_from else {}
        return self._with_strangers({**result, **moved, "members": self._members(after)})

    def _named_in_vain(self) -> frozenset[str]:
        """Whom the books do not know in this project. Where there are no books yet, they may be lost: then nobody."""
        if self._asked.action != "unshare" or self._store.is_new:
            return frozenset()
        return frozenset(self._asked.members) - self._before.people.keys()

    def _with_strangers(self, answer: dict[str, Any]) -> dict[str, Any]:
        notes = [{"path": ".", "reason": f"{name}: {_NO_MEMBER}"} for name in sorted(self._strangers)]
        skipped = [*notes, *answer["skipped"]][:MOST_NAMED]
        return {**answer, "skipped": skipped, "skipped_total": answer["skipped_total"] + len(notes)}

    def _remember(self, project: Project) -> None:
        known = self._store.projects.get(self._asked.project_dir)
        if self._asked.action != "status" and (known != project or not project.people):
            self._store.save(self._asked.project_dir, project)

    def _nothing(self) -> dict[str, Any]:
        counts = {"acl": "posix", "changed": 0, "unchanged": 0, "skipped": [], "skipped_total": 0}
        return {**counts, "confined": [], "members": []}

    def _members(self, project: Project) -> list[str]:
        return sorted(name for name, person in project.people.items() if person.standing == MEMBER)

    def _uids(self) -> dict[str, int]:
        """Of whom the request names; who leaves may be known from the books alone."""
        known = self._before.people
        names = self._asked.members
        if self._asked.action == "unshare":
            names = tuple(name for name in names if name not in known and name not in self._strangers)
        uids = {name: person(name, self._options.minimum_uid).uid for name in names}
        if self._owner.uid in uids.values():
            raise Refusal("unknown_user", "The owner cannot be a member too.")
        return uids

    def _errand(self) -> Errand:
        asked, owner = self._asked, self._owner
        plan = membership.plan(owner.uid, self._before, self._now, asked)
        on_nfs = is_remote(asked.project_dir)
        is_owner = os.geteuid() != 0 or on_nfs
        return Errand(
            asked.project_dir,
            owner.uid,
            owner.home,
            self._options.sharing_root,
            self._owner_identity() if is_owner else self._service_identity(),
            is_owner,
            plan,
            self._passages(plan.giving, plan.leaving),
            self._before.since or self._now.since,
            self._before.expected,
            asked.action == "status",
            self._options.progress,
            on_nfs,
            self._names(),
            domain_of_machine(os.uname().nodename) if on_nfs else "",
            self._place,
        )

    def _names(self) -> dict[int, str]:
        projects = (*self._store.projects.values(), self._now)
        return {self._owner.uid: self._owner.name} | {
            one.uid: name for project in projects for name, one in project.people.items()
        }

    def _owner_identity(self) -> Identity:
        owner = self._owner
        # Nobody stops what is done in his name.
        real = service_account(self._options.account)[0] if os.geteuid() == 0 else 0
        return Identity(owner.uid, owner.gid, groups_of(owner.name), (), real)

    def _service_identity(self) -> Identity:
        uid, gid = service_account(self._options.account)
        return Identity(uid, gid, (), NEEDED)

    def _passages(self, giving: frozenset[int], leaving: frozenset[int]) -> dict[str, Passage]:
        projects = {**self._store.projects, self._asked.project_dir: self._now}
        gone = [projects.pop(path) for path in self._store.projects if _is_gone(path)]
        leaving = leaving.union(*(project.uids(LEAVING) for project in gone))
        names = self._names()
        del names[self._owner.uid]
        everybody = frozenset(names)
        travellers = {uid: Traveller(uid, groups_of(name)) for uid, name in names.items()}
        found = {}
        for path in membership.folders_above(self._asked.project_dir):
            needed = membership.passers(path, projects, giving)
            found[path] = Passage(
                tuple(travellers[uid] for uid in sorted(needed)),
                tuple(travellers[uid] for uid in sorted(leaving - needed)),
                everybody,
            )
        return found


def _is_gone(path: str) -> bool:
    """There is no such folder; where that cannot be seen from here it is taken to be there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _place_of(path: str) -> Place:
    """As far as it can be seen from here. Whether the folder is what was asked for, the child looks."""
    try:
        status = os.lstat(path)
    except OSError:
        return NOWHERE
    return status.st_dev, status.st_ino

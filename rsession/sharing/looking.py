"""What this process can see of shared projects: the open one, and those of others. Blocking."""

import os
from dataclasses import dataclass, field

from rserver_core.project_path import project_name
from rserver_core.shared_project_folder import Ignored, Known, SharedFolder, staleness
from rsession.sharing.ground import let_in, obstacle
from rsession.sharing.people import Person, person, person_of_uid
from rsession.sharing.terms import Terms

NOT_YET = "The session has only begun to look at the project."
_NOWHERE = "No project is open in this session."
_STRANGER = "This project belongs to {owner}, who does not share it on this server."
_OUTSIDE = "Only a project below your home directory can be shared{root}. This one lies in {folder}."
_HOME = "A project in the home directory itself cannot be shared, only one in a folder below it."


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. known: the open project, if its people may be told; others: those of others, the newest first.

    reason: why the open one cannot be shared; empty: it can. is_read: the files could be read. folder: of the open
    project, without links in the path. let_in: who can get at the user's open project although it is not shared.
    """

    mine: bool = False
    owner: Person | None = None
    reason: str = _NOWHERE
    known: Known | None = None
    others: tuple[Known, ...] = ()
    people: dict[str, Person] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    is_read: bool = False
    folder: str = ""
    let_in: tuple[str, ...] = ()


class Looker:
    """By one thread at a time."""

    def __init__(self, terms: Terms, writer: int, own: Person, home: str) -> None:
        self._terms, self._own, self._home = terms, own, os.path.realpath(home)
        self._shared = SharedFolder(terms.folder, writer)
        self._stale: set[Ignored] = set()

    def look(self, folder: str) -> Seen:
        """What there is now. folder: of the open project; empty: none."""
        folder = os.path.realpath(folder) if folder else ""
        try:
            found, ignored = self._shared.read()
            is_read = True
        except OSError:
            found, ignored, is_read = [], [], False
        others, stale = self._living([each for each in found if self._own.name in each.project.shared])
        known = next((each for each in found if folder and each.project.folder == folder), None)
        known = known if known is not None and known.project.is_for(self._own.name) else None
        mine, owner = self._owner(folder, known)
        named = {name for each in (*others, *filter(None, [known])) for name in _people_of(each)}
        people = {name: person(name) for name in named}
        reason = self._reason(folder, mine, owner, known)
        inside = tuple(let_in(folder)) if is_read and mine and known is None and not reason else ()
        return Seen(mine, owner, reason, known, tuple(others), people, (*ignored, *stale), is_read, folder, inside)

    def _living(self, found: list[Known]) -> tuple[list[Known], list[Ignored]]:
        """Those whose folder is still there and its owner's, and the others as far as they are new."""
        living, stale = [], set()
        for each in found:
            reason = staleness(each)
            if reason:
                stale.add(Ignored(each.project.folder, each.owner_uid, reason))
            else:
                living.append(each)
        new = stale - self._stale
        self._stale = stale
        living.sort(key=lambda each: each.project.shared[self._own.name], reverse=True)
        return living, sorted(new)

    def _owner(self, folder: str, known: Known | None) -> tuple[bool, Person | None]:
        if known is not None:
            return known.project.owner == self._own.name, person(known.project.owner)
        try:
            uid = os.stat(folder).st_uid if folder else -1
        except OSError:
            return False, None
        return uid == os.getuid(), self._own if uid == os.getuid() else person_of_uid(uid)

    def _reason(self, folder: str, mine: bool, owner: Person | None, known: Known | None) -> str:
        if not folder:
            return _NOWHERE
        if known is not None:
            return ""
        if not mine:
            return _STRANGER.format(owner=owner.full_name if owner else "somebody else")
        if folder == self._home:
            return _HOME
        root = self._terms.root
        if folder.startswith(f"{self._home}/") or (root and folder.startswith(f"{os.path.realpath(root)}/")):
            return obstacle(folder, self._home)
        return _OUTSIDE.format(root=f", or below {root}" if root else "", folder=folder)


def _people_of(known: Known) -> tuple[str, ...]:
    begun = known.project.unfinished
    return (known.project.owner, *known.project.members, *(begun.members if begun else ()))


def described(known: Known, own: str, people: dict[str, Person]) -> dict[str, object]:
    """A project of somebody else, as pages are told of it."""
    project = known.project
    owner = people.get(project.owner)
    return {
        "id": project.id,
        "name": project_name(project.folder),
        "project_dir": project.folder,
        "owner": project.owner,
        "owner_full_name": owner.full_name if owner else project.owner,
        "shared_at": project.shared[own],
    }

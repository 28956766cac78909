"""Folders that users opened as projects, and the ids that stand for them in addresses."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from rserver.store.rows import ProjectRow
from rserver_core.session_id import new_project_id

MOST_RECENT = 15
# Not an option: what keeps one user from filling the store.
MOST_PROJECTS = 1000


class ProjectTable:
    """Projects of all users; one folder has one id for a user, as soon as it is known which paths lead there.

    Times are seconds since 1970.
    """

    def __init__(self, rows: Iterable[ProjectRow] = (), now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.known_id: Callable[[str, str], str] = lambda user, path: ""
        """The id that a folder has for a user because it is shared; empty: none."""
        self._of: dict[tuple[str, int], dict[str, ProjectRow]] = {}
        for row in rows:
            self._own(row.user, row.uid)[row.id] = row
        self._changed: dict[tuple[str, int, str], ProjectRow] = {}
        self._forgotten: dict[tuple[str, int, str], ProjectRow] = {}

    def find(self, user: str, uid: int, project_id: str) -> ProjectRow | None:
        """The project that an id stands for, for this account."""
        return self._of.get((user, uid), {}).get(project_id)

    def of_folder(self, user: str, uid: int, path: str) -> ProjectRow:
        """The project in a folder, by the path that was given, with a new id when it was not known."""
        own = self._own(user, uid)
        row = next((row for row in own.values() if row.path == path), None)
        if (first := self._first_in(own, row.real if row is not None and row.real else path)) is not None:
            # What is opened is what was named: the link may lead elsewhere by now.
            return replace(first, path=path)
        if row is not None:
            return row
        project_id = self.known_id(user, path)
        while not project_id or project_id in own:
            project_id = new_project_id()
        while len(own) >= MOST_PROJECTS:
            self._drop(min(own.values(), key=lambda row: row.opened))
        return self._put(ProjectRow(user, uid, project_id, path))

    def lies_in(self, user: str, uid: int, path: str, real: str) -> None:
        """A session that was opened in path says that this is the folder real."""
        own = self._own(user, uid)
        for row in [row for row in own.values() if row.path == path and row.real != real]:
            self._put(replace(row, real=real))
        first = self._first_in(own, real)
        for row in [row for row in own.values() if row.real == real and row is not first and row.opened]:
            self.strike(row)

    @staticmethod
    def _first_in(own: Mapping[str, ProjectRow], real: str) -> ProjectRow | None:
        """Of several that lie in that folder, the one whose id counts."""
        there = [row for row in own.values() if real in {row.real, row.path if not row.real else ""}]
        return min(there, key=lambda row: (row.path != real, row.id), default=None)

    def opened(self, user: str, uid: int, project_id: str) -> None:
        """A session came up in it just now."""
        if (row := self.find(user, uid, project_id)) is not None:
            self._put(replace(row, opened=self._now()))

    def recent(self, user: str, uid: int) -> list[ProjectRow]:
        """Those opened last, the last one first."""
        opened = [row for row in self._of.get((user, uid), {}).values() if row.opened]
        return sorted(opened, key=lambda row: row.opened, reverse=True)[:MOST_RECENT]

    def strike(self, row: ProjectRow) -> None:
        """Take it off the list of recent ones; the folder keeps its id."""
        self._put(replace(row, opened=0.0))

    def take_changed(self) -> list[ProjectRow]:
        """What the store has not seen yet."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def take_forgotten(self) -> list[ProjectRow]:
        """What the store does not know yet to be gone."""
        forgotten, self._forgotten = self._forgotten, {}
        return list(forgotten.values())

    def _own(self, user: str, uid: int) -> dict[str, ProjectRow]:
        return self._of.setdefault((user, uid), {})

    def _put(self, row: ProjectRow) -> ProjectRow:
        self._own(row.user, row.uid)[row.id] = row
        self._changed[row.user, row.uid, row.id] = row
        return row

    def _drop(self, row: ProjectRow) -> None:
        del self._own(row.user, row.uid)[row.id]
        self._changed.pop((row.user, row.uid, row.id), None)
        self._forgotten[row.user, row.uid, row.id] = row

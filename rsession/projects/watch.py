"""A project file that is changed by hand counts at once: looked at when R asks for input and when a file was saved."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.python.failure import Failure

from rsession.projects.folder import Project, read_project_file
from rsession.projects.options import options_of
from rsession.services.background import Background

if TYPE_CHECKING:
    from rsession.session import Session

_PAUSE_SECONDS = 1.0
_Stamp = tuple[int, int, int]


class ProjectWatch:
    """changed: told when the options were read anew."""

    def __init__(self, session: "Session", changed: Callable[[], None], background: Background) -> None:
        self._session = session
        self._changed = changed
        self._background = background
        self._seen: _Stamp | None = None
        self._is_looking = False
        self._must_look_again = False
        self._next = 0.0

    def begin(self) -> None:
        """From now on."""
        self._session.on_prompt(self._prompted)
        self._session.on_saved(self._saved)
        self._look()

    def _prompted(self) -> None:
        if self._session.clock.seconds() >= self._next:
            self._look()

    def _saved(self, path: str) -> None:
        project = self._session.project
        if project is not None and os.path.basename(path) == os.path.basename(project.file):
            self._look()

    def _look(self) -> None:
        project = self._session.project
        self._must_look_again = self._is_looking
        if project is not None and not self._is_looking:
            self._is_looking = True
            self._next = self._session.clock.seconds() + _PAUSE_SECONDS
            self._background(_read_anew, project, self._seen).addBoth(self._read, project)

    def _read(self, found: "tuple[_Stamp | None, Project | None] | Failure", before: Project) -> None:
        self._is_looking = False
        self._take(found, before)
        if self._must_look_again:
            self._look()

    def _take(self, found: "tuple[_Stamp | None, Project | None] | Failure", before: Project) -> None:
        # The file may be gone, or half written: what it said last holds.
        if isinstance(found, Failure):
            return
        self._seen, after = found
        if after is not None and self._session.project is before and after != before:
            self._session.project = after
            self._changed()


def _read_anew(project: Project, seen: _Stamp | None) -> "tuple[_Stamp | None, Project | None]":
    found = os.stat(project.file)
    stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
    if stamp == seen:
        return stamp, None
    return stamp, replace(project, options=options_of(read_project_file(project.file).fields), problem="")

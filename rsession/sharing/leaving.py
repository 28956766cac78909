"""A project that its user may not use any more is closed: the session goes on without one."""

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

from rserver_core.project_path import project_name
from rsession.error_code import ErrorCode, RpcError
from rsession.sharing.copies import save_copies, unsaved_below

if TYPE_CHECKING:
    from rsession.services.background import Background
    from rsession.services.document import Document
    from rsession.services.documents import Documents
    from rsession.session import Session
    from rsession.sharing.people import Person

_log = Logger()


@dataclass(slots=True)
class Left:
    """The project that was withdrawn. by: who did that, or None; places: its folder, as named and without links."""

    name: str
    places: tuple[str, ...]
    by: "Person | None"
    copies: str


@dataclass(slots=True)
class Leaving:
    """Closes the project of a session once, and offers to keep what was not saved."""

    session: "Session"
    documents: "Documents"
    background: "Background"
    left: Left | None = field(default=None)
    is_seen: bool = False

    def leave(self, real_folder: str, by: "Person | None") -> None:
        """Presence, shared texts and the project end; objects, console and open texts stay."""
        project = self.session.project
        if project is None:
            return
        home = self.session.environment.get("HOME", "/")
        name = project_name(project.folder)
        copies = os.path.join(home, f"{name} (unsaved)")
        self.left, self.is_seen = Left(name, (project.folder, real_folder), by, copies), False
        self.session.events.emit("sharing_revoked", self.described())
        self.session.close_project()
        # R's working directory would be one that it cannot read.
        moved = self.session.jobs.call("leave_directory", real_folder)
        moved.addErrback(lambda failure: _log.debug("{why}", why=failure.getErrorMessage()))

    def described(self) -> dict[str, object] | None:
        """For pages; None when nothing was withdrawn, or everybody knows."""
        left = self.left
        if left is None or self.is_seen:
            return None
        return {
            "project": left.name,
            "project_dir": left.places[0],
            "by": left.by.name if left.by else "",
            "by_full_name": left.by.full_name if left.by else "",
            "unsaved": [{"id": each.id, "name": each.name} for each in self._unsaved()],
            "folder": left.copies,
        }

    def save(self, folder: str) -> "Deferred[dict[str, object]]":
        """Write what was not saved to that folder."""
        if self.left is None:
            raise RpcError(ErrorCode.WRONG_STATE, "no project was withdrawn from you in this session")
        return ensureDeferred(save_copies(self.documents, self._unsaved(), folder, self.background))

    def _unsaved(self) -> "list[Document]":
        return unsaved_below(self.documents, *self.left.places) if self.left is not None else []

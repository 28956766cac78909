"""Looks once a second which documents others have open too, and sees to it that one session hosts each of them."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.collab import notes
from rsession.collab.election import Verdict, decide
from rsession.collab.hosting import Hosting
from rsession.collab.notes import Note
from rsession.error_code import RpcError
from rsession.services.background import Background

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from rsession.services.document import Document
    from rsession.services.documents import Documents
    from rsession.session import Session

_LOOK_SECONDS = 1.0
_HEARTBEAT_SECONDS = 15.0
_CHANGED_SECONDS = 5.0
_MOST_LOST = 1000
_LONGEST_REST = 60.0
_YOUNG_SECONDS = 3.0

_log = Logger()


@dataclass
class _Known:
    """One document. told: the server of the last event; lost: servers that were gone, and when that was said."""

    note: Note
    revision: int
    told: str = ""
    lost: dict[str, float] = field(default_factory=dict)
    host: Note | None = None
    hostless: float = 0.0
    hosting: Hosting | None = None
    written: Note | None = None
    touched: float = 0.0
    failures: int = 0
    """How often a filebase of it ended by itself."""
    rest_until: float = 0.0


class Meeting:
    """All documents of a session that lie in its project."""

    def __init__(
        self,
        session: "Session",
        documents: "Documents",
        session_id: str,
        reactor: "EPollReactor",
        background: Background,
    ) -> None:
        self._session, self._documents, self._id, self._reactor = session, documents, session_id, reactor
        self._background = background
        self._project = os.path.realpath(session.project.folder) if session.project is not None else ""
        self._known: dict[str, _Known] = {}
        self._closed: list[Note] = []
        self._ending: list[Hosting] = []
        self._is_looking = False
        self._has_ended = False

    def begin(self) -> None:
        """From now on."""
        self._session.clock.callLater(0, self._tick)

    def end(self) -> None:
        """The session ends."""
        self._has_ended = True
        folder = notes.folder_of(self._project)
        for known in self._known.values():
            notes.remove(folder, known.note)
            if known.hosting is not None:
                known.hosting.stop()

    def leave(self) -> None:
        """The project was closed; the session goes on with the texts as they are."""
        for id_, known in self._known.items():
            self._stop_hosting(known, "The host has left the project.")
            self._tell_end(id_, known)
        self.end()
        self._known.clear()
        self._reap()

    def _reap(self) -> None:
        self._ending = [each for each in self._ending if not each.reap()]
        if self._ending:
            self._session.clock.callLater(_LOOK_SECONDS, self._reap)

    def described(self) -> list[dict[str, str]]:
        """For client_init."""
        return [_event(id_, known) for id_, known in self._known.items() if known.told]

    def hosting(self, id_: str) -> Hosting | None:
        """Of a document that this session hosts."""
        known = self._known.get(id_)
        return known.hosting if known is not None else None

    def joined(self, id_: str, epoch: str) -> None:
        """A page of this session shows the text of this epoch."""
        self._take_in()
        if (known := self._known.get(id_)) is not None:
            known.note = replace(known.note, epoch=epoch)

    def host_lost(self, id_: str, server: str) -> None:
        """A page cannot reach the host."""
        known = self._known.get(id_)
        if known is None or known.hosting is not None or len(known.lost) >= _MOST_LOST:
            return
        # A host that has only begun may not listen yet.
        is_young = known.host is not None and time.time() - known.host.since < _YOUNG_SECONDS
        if not (is_young and known.host is not None and known.host.server == server):
            known.lost[server] = time.time()
            self._look()

    def _tick(self) -> None:
        if not self._has_ended:
            self._look()
            self._session.clock.callLater(_LOOK_SECONDS, self._tick)

    def _look(self) -> None:
        self._take_in()
        self._ending = [each for each in self._ending if not each.reap()]
        if self._is_looking or not (self._known or self._closed):
            return
        self._is_looking = True
        closed, self._closed = self._closed, []
        due = [known for known in self._known.values() if _is_due(known)]
        for known in due:
            known.written, known.touched = known.note, time.monotonic()
        found = self._background(_exchange, self._project, [known.note for known in due], closed)
        found.addCallback(self._found).addErrback(_failed).addBoth(self._looked)

    def _looked(self, _: object) -> None:
        self._is_looking = False

    def _take_in(self) -> None:
        """Documents as they are now."""
        now = time.time()
        inside = {each.id: (each, path) for each in self._documents.all if (path := self._inside(each.path))}
        for id_ in [id_ for id_ in self._known if id_ not in inside]:
            self._forget(id_)
        for id_, (document, path) in inside.items():
            known = self._known.get(id_)
            if known is None:
                self._known[id_] = _Known(Note(self._id, id_, path, _changed(document, now)), document.revision)
            else:
                changed = known.note.changed if known.revision == document.revision else now
                known.note, known.revision = replace(known.note, path=path, changed=changed), document.revision

    def _inside(self, path: str | None) -> str:
        """Below the project, from there on; else empty."""
        real = os.path.realpath(path) if path is not None and self._project else ""
        return real[len(self._project) + 1 :] if real.startswith(f"{self._project}/") else ""

    def _forget(self, id_: str) -> None:
        known = self._known.pop(id_)
        self._closed.append(known.note)
        self._stop_hosting(known, "The host has closed the file.")

    def _found(self, all_notes: Sequence[Note]) -> None:
        if self._has_ended:
            return
        for id_, known in list(self._known.items()):
            others = [each for each in all_notes if each.session != self._id and each.path == known.note.path]
            living = [each for each in others if (each.since or each.seen) > known.lost.get(each.server, 0.0)]
            self._apply(id_, known, decide(known.note, living, self._waited(known)))

    def _waited(self, known: _Known) -> float:
        return time.monotonic() - known.hostless if known.hostless else 0.0

    def _apply(self, id_: str, known: _Known, verdict: Verdict) -> None:
        if known.hosting is not None and known.hosting.has_ended:
            self._ending.append(known.hosting)
            known.hosting, known.note = None, replace(known.note, since=0.0)
            known.failures += 1
            known.rest_until = time.monotonic() + min(_LONGEST_REST, 2.0**known.failures / 4)
            return
        if verdict.mine and known.hosting is None:
            if time.monotonic() < known.rest_until:
                return
            self._host(id_, known, verdict.epoch)
            return
        known.host = verdict.host
        known.hostless = 0.0 if verdict.host is not None else known.hostless or time.monotonic()
        if not verdict.mine:
            self._stop_hosting(known, "Another session keeps the text now.")
        if verdict.alone:
            known.hostless = 0.0
            known.note = replace(known.note, epoch="")
            self._tell_end(id_, known)
        elif verdict.host is not None:
            self._tell(id_, known, verdict.host.server)
        if known.hosting is not None:
            known.hosting.look().addErrback(_failed)

    def _host(self, id_: str, known: _Known, epoch: str) -> None:
        known.note = replace(known.note, since=time.time())
        hosting = Hosting(id_, self._documents, self._background, lambda: self._hosting_changed(id_), known.note.since)
        known.hosting, known.hostless = hosting, 0.0
        log = self._session.paths.state / "collab" / f"{self._id}-{id_}.log"
        ensureDeferred(hosting.begin(self._reactor, log, epoch)).addCallbacks(
            lambda _: self._look(), lambda failure: self._not_hosting(known, failure)
        )

    def _not_hosting(self, known: _Known, failure: Failure) -> None:
        _failed(failure)
        known.hosting, known.note = None, replace(known.note, since=0.0)

    def _hosting_changed(self, id_: str) -> None:
        known = self._known.get(id_)
        if known is not None and known.hosting is not None and not self._has_ended:
            known.note = replace(known.note, epoch=known.hosting.epoch)
            self._look()

    def _stop_hosting(self, known: _Known, reason: str) -> None:
        if known.hosting is not None:
            known.hosting.end(reason)
            self._ending.append(known.hosting)
            known.hosting, known.note = None, replace(known.note, since=0.0)

    def _tell(self, id_: str, known: _Known, server: str) -> None:
        if known.told != server:
            known.told = server
            self._session.events.emit("collab_edit_started", _event(id_, known))

    def _tell_end(self, id_: str, known: _Known) -> None:
        if known.told:
            known.told = ""
            self._session.events.emit("collab_edit_ended", {"id": id_})


def _event(id_: str, known: _Known) -> dict[str, str]:
    return {"id": id_, "server": known.told, "epoch": known.note.epoch}


def _changed(document: "Document", now: float) -> float:
    return now if document.is_dirty or document.stamp is None else document.stamp.mtime_ns / 1e9


def _is_due(known: _Known) -> bool:
    written, note = known.written, known.note
    if written is None or time.monotonic() - known.touched > _HEARTBEAT_SECONDS:
        return True
    if (written.path, written.epoch, written.since) != (note.path, note.epoch, note.since):
        return True
    return known.host is None and note.changed - written.changed > _CHANGED_SECONDS


def _exchange(project: str, due: Sequence[Note], closed: Sequence[Note]) -> list[Note]:
    """Write what is due, remove what was closed, read what is there. Blocking."""
    folder = notes.make_folder(project) if due else notes.folder_of(project)
    for note in closed:
        notes.remove(folder, note)
    for note in due:
        notes.write(folder, note)
    return notes.read_all(folder)


def _failed(failure: Failure) -> None:
    reason = failure.value.message if isinstance(failure.value, RpcError) else failure.getErrorMessage()
    _log.debug("editing together: {reason}", reason=reason)

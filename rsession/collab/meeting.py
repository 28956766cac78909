"""Sees from the sentries which documents others have open too, and to it that one session hosts each of them."""

import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.collab.awaited import Awaited
from rsession.collab.election import Verdict, decide, host_among, later_than
from rsession.collab.hosting import Hosting
from rsession.collab.seat import Seat, seat, seats
from rsession.error_code import RpcError
from rsession.services.background import Background

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from rsession.presence.presence import Presence
    from rsession.services.documents import Documents
    from rsession.session import Session

_LOOK_SECONDS = 1.0
_MOST_LOST = 1000
_LONGEST_REST = 60.0

_log = Logger()


@dataclass
class _Known:
    """One document. own: how the others see it; told: the server of the last event; others: who has the file open.

    joined: the shared text that a page showed last
    lost: hosts that were found gone, and since when they had hosted; failures: how often a filebase ended by itself.
    """

    own: Seat
    others: list[Seat] = field(default_factory=list)
    told: str = ""
    lost: set[tuple[str, float]] = field(default_factory=set)
    hostless: float = 0.0
    hosting: Hosting | None = None
    awaited: Awaited = field(default_factory=Awaited)
    joined: str = ""
    epoch: str = ""
    since: float = 0.0
    failures: int = 0
    rest_until: float = 0.0

    @property
    def is_met(self) -> bool:
        """Others have it open, or had a moment ago."""
        return bool(self.others or self.told or self.hosting or self.awaited)


class Meeting:
    """All documents of a session that lie in its project."""

    def __init__(
        self,
        session: "Session",
        documents: "Documents",
        presence: "Presence",
        session_id: str,
        reactor: "EPollReactor",
        background: Background,
    ) -> None:
        self._session, self._documents, self._id, self._reactor = session, documents, session_id, reactor
        self._presence, self._background = presence, background
        self._known: dict[str, _Known] = {}
        self._ending: list[Hosting] = []
        self._has_ended = self._ticks = False

    def begin(self) -> None:
        """From now on."""
        self._presence.on_change(self._look)

    def end(self) -> None:
        """The session ends, or goes on without the project."""
        self._has_ended = True
        for id_, known in self._known.items():
            if known.hosting is not None:
                known.hosting.stop()
            self._tell_end(id_, known)

    def leave(self) -> None:
        """The project was closed; the session goes on with the texts as they are."""
        for id_, known in self._known.items():
            self._stop_hosting(id_, known, "The host has left the project.")
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
        self._look()
        known = self._known.get(id_)
        if known is None:
            return
        if not known.told:
            known.awaited.expect(time.monotonic())
        known.joined = epoch
        self._show(id_, known, epoch, known.since)
        self._look()

    def host_lost(self, id_: str, server: str) -> None:
        """A page cannot reach the host."""
        known = self._known.get(id_)
        if known is None or known.hosting is not None or len(known.lost) >= _MOST_LOST:
            return
        known.lost.update((each.server, each.since) for each in known.others if each.since and each.server == server)
        self._presence.look()
        self._look()

    def _tick(self) -> None:
        self._ticks = False
        self._look()
        for known in self._known.values():
            if known.hosting is not None and known.hosting.is_open:
                known.hosting.look().addErrback(_failed)

    def _tick_soon(self) -> None:
        """While something is shared time alone may change what is to be done."""
        if not self._ticks and (self._ending or any(known.is_met for known in self._known.values())):
            self._ticks = True
            self._session.clock.callLater(_LOOK_SECONDS, self._tick)

    def _look(self) -> None:
        if self._has_ended:
            return
        self._ending = [each for each in self._ending if not each.reap()]
        self._take_in()
        present = self._presence.present()
        here, everybody = {each.session for each in present}, seats(present)
        for id_, known in list(self._known.items()):
            known.others = [each for each in everybody if each.path == known.own.path]
            self._meet(id_, known, here)
        self._tick_soon()

    def _take_in(self) -> None:
        """Documents as they are now."""
        own = {file.document: file for file in self._presence.own() if self._documents.has(file.document)}
        for id_ in [id_ for id_ in self._known if id_ not in own]:
            self._stop_hosting(id_, self._known[id_], "The host has closed the file.")
            del self._known[id_]
        for id_, file in own.items():
            known = self._known.setdefault(id_, _Known(seat(self._id, file)))
            if known.own.path != file.path:
                known.awaited.forget()
            known.own = Seat(self._id, id_, file.path, file.changed, known.epoch, known.since)

    def _meet(self, id_: str, known: _Known, here: Collection[str]) -> None:
        living = [each for each in known.others if (each.server, each.since) not in known.lost]
        known.awaited.look(known.epoch, known.others, living, here, time.monotonic())
        waited = time.monotonic() - known.hostless if known.hostless else 0.0
        self._apply(id_, known, decide(known.own, living, waited, bool(known.awaited)))

    def _apply(self, id_: str, known: _Known, verdict: Verdict) -> None:
        if known.hosting is not None and known.hosting.has_ended:
            self._rest(id_, known)
        elif known.hosting is not None and not known.hosting.has_begun:
            return
        elif verdict.mine and known.hosting is None:
            if time.monotonic() >= known.rest_until:
                self._host(id_, known, verdict.epoch)
        else:
            self._follow(id_, known, verdict)

    def _follow(self, id_: str, known: _Known, verdict: Verdict) -> None:
        known.hostless = 0.0 if verdict.host is not None else known.hostless or time.monotonic()
        if not verdict.mine:
            self._stop_hosting(id_, known, "Another session keeps the text now.")
        if verdict.alone:
            known.hostless = 0.0
            self._show(id_, known, "", 0.0)
            self._tell_end(id_, known)
        elif verdict.host is not None:
            if not verdict.mine:
                # It shows this text when a page has said so, be it before this host was seen.
                shown = known.joined if known.joined == verdict.host.epoch else ""
                self._show(id_, known, shown, 0.0)
            self._tell(id_, known, verdict.host.server)

    def _rest(self, id_: str, known: _Known) -> None:
        """Filebase has ended by itself: it is started again, ever more slowly."""
        if known.hosting is not None:
            self._ending.append(known.hosting)
        known.hosting = None
        known.failures += 1
        known.rest_until = time.monotonic() + min(_LONGEST_REST, 2.0**known.failures / 4)
        self._show(id_, known, known.epoch, 0.0)

    def _host(self, id_: str, known: _Known, epoch: str) -> None:
        hosting = Hosting(id_, self._documents, self._background, lambda: self._hosting_changed(id_, hosting))
        known.hosting, known.hostless = hosting, 0.0
        log = self._session.paths.state / "collab" / f"{self._id}-{id_}.log"
        # Whoever else begins at this moment goes on with the same text.
        is_new, epoch = not epoch, epoch or secrets.token_hex(8)
        self._show(id_, known, epoch, 0.0)
        begun = ensureDeferred(hosting.begin(self._reactor, log, epoch, is_new))
        begun.addCallback(lambda _: self._begun(id_, hosting))
        begun.addErrback(lambda failure: self._not_hosting(id_, hosting, failure))

    def _begun(self, id_: str, hosting: Hosting) -> None:
        """Pages can come in: only now the others are told."""
        known = self._known.get(id_)
        if known is None or known.hosting is not hosting:
            return
        living = [each for each in known.others if (each.server, each.since) not in known.lost]
        if host_among(living) is not None:
            self._stop_hosting(id_, known, "Another session keeps the text now.")
        else:
            self._show(id_, known, hosting.epoch, later_than(known.others, time.time()))
        self._look()

    def _not_hosting(self, id_: str, hosting: Hosting, failure: Failure) -> None:
        _failed(failure)
        known = self._known.get(id_)
        if known is not None and known.hosting is hosting:
            known.hosting = None
            self._rest(id_, known)

    def _hosting_changed(self, id_: str, hosting: Hosting) -> None:
        known = self._known.get(id_)
        if known is not None and known.hosting is hosting and not self._has_ended:
            self._show(id_, known, hosting.epoch, known.since)
            self._look()

    def _stop_hosting(self, id_: str, known: _Known, reason: str) -> None:
        if known.hosting is not None:
            known.hosting.end(reason)
            self._ending.append(known.hosting)
            known.hosting = None
            self._show(id_, known, known.epoch, 0.0)

    def _show(self, id_: str, known: _Known, epoch: str, since: float) -> None:
        """Let the others see which text this is, and whether it is kept here."""
        known.epoch, known.since = epoch, since
        file = known.own
        known.own = Seat(file.session, id_, file.path, file.changed, epoch, since)
        self._presence.show_text(id_, epoch, since)

    def _tell(self, id_: str, known: _Known, server: str) -> None:
        if known.told != server:
            known.told = server
            self._session.events.emit("collab_edit_started", _event(id_, known))

    def _tell_end(self, id_: str, known: _Known) -> None:
        if known.told:
            known.told = ""
            self._session.events.emit("collab_edit_ended", {"id": id_})


def _event(id_: str, known: _Known) -> dict[str, str]:
    return {"id": id_, "server": known.told, "epoch": known.epoch}


def _failed(failure: Failure) -> None:
    reason = failure.value.message if isinstance(failure.value, RpcError) else failure.getErrorMessage()
    _log.debug("editing together: {reason}", reason=reason)

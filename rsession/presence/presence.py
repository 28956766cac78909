"""Who else is in the project: kept up to date, and told to the page and to other services."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.presence.folder import SentryFolder
from rsession.presence.own_place import Changes, EditorPlace, InnerPaths
from rsession.presence.sentry import OpenFile, Sentry
from rsession.presence.watch import FolderWatch, file_system, is_watchable
from rsession.services.background import Background

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.presence.folder import Found
    from rsession.session import Session

BEAT_SECONDS = 30.0
POLL_SECONDS = 5.0
_PAUSE_SECONDS = 0.25
_FIRST_SECONDS = 0.02
_SHARE_OF_TIME = 10
"""Whoever fills the folder with changes makes us read it a tenth of the time at most."""

_log = Logger()


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one look at the folder found. seconds: how long it took; is_watchable: the kernel tells of changes there.

    own: the files of which the others were told; None: nothing was written.
    """

    found: "Found"
    seconds: float
    is_watchable: bool
    own: tuple[OpenFile, ...] | None = None


class Presence:
    """own: the sentry of this session as far as it does not change."""

    def __init__(self, session: "Session", own: Sentry, project: str, background: Background) -> None:
        self._session, self._own, self._background = session, own, background
        self._folder = SentryFolder(project, own.session)
        self._inner = InnerPaths(project)
        self._changes = Changes()
        self._watch = FolderWatch(session.clock, own.session, self._touched)  # type: ignore[arg-type]
        self._watched = (0, 0)
        self._others: tuple[Sentry, ...] = ()
        self._shown: tuple[OpenFile, ...] = ()
        self._told: list[dict[str, object]] = []
        self._written: Sentry | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._must_write = self._is_turning = self._must_turn_again = self._is_off = False
        self._waiting: IDelayedCall | None = None
        self._next = 0.0

    def begin(self) -> None:
        """Tell of us and of the others from now on."""
        self._session.editor.on_change(lambda: self._soon(True))
        self._session.on_end(self._end)
        self._session.on_project_closed(self._leave)
        self._beat()
        self._poll()

    def present(self) -> tuple[Sentry, ...]:
        """The other sessions in the project, by user and session; from memory."""
        return self._others

    def own(self) -> tuple[OpenFile, ...]:
        """The files that the others see to be open here; from memory."""
        return self._shown

    def show_text(self, document: str, epoch: str, since: float) -> None:
        """Let the others see which shared text a document shows (16 hex or empty), and since when it is kept here."""
        if self._changes.show_text(document, epoch, since):
            self._soon(True)

    def look(self) -> None:
        """Somebody may be gone: look now."""
        self._soon(False)

    def having(self, path: str) -> tuple[Sentry, ...]:
        """Those who have a file open; path: from the project's folder."""
        return tuple(each for each in self._others if any(file.path == path for file in each.open))

    def inner_path(self, path: str) -> str:
        """The path of a file from the project's folder, empty for one outside. Blocking."""
        return self._inner.of(path)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when `present()` or the paths and texts of `own()` are others than before."""
        self._callbacks.append(callback)

    def described(self) -> dict[str, object]:
        """What pages are told."""
        return {"people": [each.described() for each in self._others]}

    def _beat(self) -> None:
        self._written = None
        self._soon(True)
        self._session.clock.callLater(BEAT_SECONDS, self._beat)

    def _poll(self) -> None:
        """Where the kernel tells nothing, and somebody could see a change."""
        if not self._watch.is_on and self._session.listeners.is_followed:
            self._soon(False)
        self._session.clock.callLater(POLL_SECONDS, self._poll)

    def _touched(self, is_ours: bool) -> None:
        if is_ours:
            self._written = None
        self._soon(is_ours)

    def _soon(self, must_write: bool) -> None:
        self._must_write |= must_write
        if self._is_turning:
            self._must_turn_again = True
        elif self._waiting is None and not self._is_off:
            delay = max(_FIRST_SECONDS, self._next - self._session.clock.seconds())
            self._waiting = self._session.clock.callLater(delay, self._turn)

    def _turn(self) -> None:
        self._waiting = None
        place = self._changes.place(self._session.editor) if self._must_write else None
        self._must_write = self._must_turn_again = False
        self._is_turning = True
        self._background(self._work, place).addCallbacks(self._take, self._failed).addBoth(self._turned)

    def _work(self, place: EditorPlace | None) -> _Turn:
        """On another thread, one at a time."""
        began = time.monotonic()
        self._folder.open()
        own = None
        if place is not None:
            # Who may only read sees the others all the same.
            with suppress(OSError):
                own = self._write(place)
        found = self._folder.read()
        watchable = is_watchable(file_system(self._folder.descriptor))
        return _Turn(found, time.monotonic() - began, watchable, own)

    def _write(self, place: EditorPlace) -> tuple[OpenFile, ...]:
        active, open_files = self._inner.told(place)
        line = place.line if active else 0
        sentry = replace(self._own, file=active, line=line, open=open_files)
        if sentry != self._written:
            self._folder.write(replace(sentry, heartbeat=time.time()))
            self._written = sentry
        return open_files

    def _take(self, turn: _Turn) -> None:
        self._next = self._session.clock.seconds() + max(_PAUSE_SECONDS, _SHARE_OF_TIME * turn.seconds)
        is_shown_anew = turn.own is not None and [_steady(each) for each in turn.own] != [*map(_steady, self._shown)]
        self._shown = self._shown if turn.own is None else turn.own
        for refused in turn.found.refused:
            _log.warn(
                "presence: {name} in .Rproj.user/shared/users, which user {uid} owns, is ignored: {reason}",
                name=refused.name,
                uid=refused.uid,
                reason=refused.reason,
            )
        if not turn.found.is_whole:
            self._written = None
        if turn.is_watchable and self._watched != self._folder.identity:
            self._begin_watch()
        elif not turn.is_watchable:
            self._watch.stop()
        if not self._is_off:
            others = tuple(sorted(turn.found.others, key=lambda each: (each.user, each.session)))
            self._know(others, is_shown_anew)

    def _begin_watch(self) -> None:
        if self._is_off:
            return
        try:
            self._watch.begin(self._folder.descriptor)
        except OSError as error:
            # The user's share of watches is used up: the folder is read now and then.
            _log.debug("presence: {reason}", reason=error.strerror)
            return
        self._watched = self._folder.identity
        self._must_turn_again = True

    def _know(self, others: tuple[Sentry, ...], is_shown_anew: bool = False) -> None:
        before = tuple(replace(each, heartbeat=0.0) for each in self._others)
        self._others = others
        if before == tuple(replace(each, heartbeat=0.0) for each in others) and not is_shown_anew:
            return
        told = [each.described() for each in others]
        if told != self._told:
            self._told = told
            self._session.events.emit("presence_changed", {"people": told})
        for callback in self._callbacks:
            callback()

    def _failed(self, failure: Failure) -> None:
        self._next = self._session.clock.seconds() + _PAUSE_SECONDS
        failure.trap(OSError)
        # Nothing may be kept in the project, as in a folder that can only be read: nobody sees anybody.
        _log.debug("presence: {reason}", reason=failure.getErrorMessage())
        self._know(())

    def _turned(self, result: object) -> None:
        self._is_turning = False
        if isinstance(result, Failure):
            _log.failure("presence", failure=result)
        if self._must_turn_again:
            self._soon(False)

    def _leave(self) -> None:
        """The project was closed: nobody of it is seen any more, and we are not there."""
        self._end()
        self._know(())
        self._session.presence = None

    def _end(self) -> None:
        self._is_off = True
        self._watch.stop()
        self._folder.end()


def _steady(file: OpenFile) -> OpenFile:
    """What of a file does not change while it is typed in."""
    return replace(file, changed=0.0, dirty=False)

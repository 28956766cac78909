"""Puts the keeping of objects into a session."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession import _shim
from rsession.error_code import ErrorCode, RpcError
from rsession.preferences import read_preferences
from rsession.rpc_method import Param
from rsession.segment_reader import ReadableDescriptor
from rsession.services.background import in_thread
from rsession.timeouts.policy import Limits
from rsession.timeouts.watch import Timeouts
from rsession.workspace import sentences
from rsession.workspace.checkpoints import Checkpoints
from rsession.workspace.children import end_started_processes
from rsession.workspace.clean_up import ids_of, prune_asides, remove_sessions
from rsession.workspace.console_file import ConsoleFile
from rsession.workspace.folder import HISTORY, NOT_RESTORED, StoreFolder
from rsession.workspace.image_reading import ImageReading
from rsession.workspace.quitting import Quitting
from rsession.workspace.r_history import RHistory
from rsession.workspace.restarting import Restarting
from rsession.workspace.restoration import Restoration
from rsession.workspace.save_policy import SavePolicy, save_policy
from rsession.workspace.settings import WorkspaceSettings
from rsession.workspace.snapshots import NotWritten, Snapshots
from rsession.workspace.suspension import Suspension

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.session import Session

_log = Logger()

_LEFT_SESSIONS = "RS_LEFT_SESSIONS"
_CLEAN_UP_SECONDS = 5.0


def register(session: "Session", settings: WorkspaceSettings, limits: Limits) -> None:
    """Enter the methods, hear the signals, open the store; called once, before R's first prompt is announced."""
    workspace = Workspace(session, settings, limits)
    workspace.add_methods()
    workspace.hear_signals(cast("IReactorFDSet", session.clock))
    workspace.open()


class Workspace:
    """The parts and how they know each other."""

    def __init__(self, session: "Session", settings: WorkspaceSettings, limits: Limits) -> None:
        self._session = session
        self._settings = settings
        self._folder = StoreFolder(str(session.paths.state), session.paths.session_id)
        self._console = ConsoleFile(self._folder.path, session.console, session.clock, in_thread)
        self._snapshots = Snapshots(session, self._folder, settings, self._console)
        self._suspension = Suspension(session, self._snapshots, settings.rules)
        self._timeouts = Timeouts(session, self._suspension, limits)
        self._checkpoints = Checkpoints(session, self._snapshots, self._suspension, settings.checkpoint_seconds)
        self._restoration = Restoration(session, self._folder, self._snapshots, settings)
        kept = Path(self._folder.session_path, HISTORY)
        self._history = RHistory(session, kept, self._policy)
        self._quitting = Quitting(session, self._policy, ImageReading(session))
        Restarting(session, self._folder, self._snapshots, self._suspension)

    def open(self) -> None:
        """Show what the console showed; have R open the store."""
        self._session.add_to_client_init("workspace", self._state)
        self._session.add_to_client_init("timeouts", self._timeouts.state)
        self._session.callbacks.use.append(self._timeouts.touch)
        self._session.on_end(self._end)
        self._timeouts.begin()
        self._session.clock.callLater(_CLEAN_UP_SECONDS, self._clean_up)
        if self._prepare():
            self._tell_saved()
            self._show_again()
            self._restoration.begin()
            Deferred.fromCoroutine(self._after_restart())
        else:
            self._snapshots.opened(False)

    def hear_signals(self, reactor: "IReactorFDSet") -> None:
        """SIGUSR1 suspends politely, SIGUSR2 in any case; SIGTERM too, and when that does not work R ends without."""
        descriptor = _shim.suspend_signals()

        def read() -> None:
            with suppress(BlockingIOError):
                told = os.read(descriptor, 64)
                if b"T" in told:
                    self._suspension.told_to_end()
                else:
                    self._suspension.wanted_by_signal(b"2" in told)

        reactor.addReader(ReadableDescriptor(descriptor, reactor, read))

    def add_methods(self) -> None:
        """Enter the RPC methods."""
        self._add_suspend_methods()
        self._add_state_methods()
        self._add_timeout_methods()

    def _add_suspend_methods(self) -> None:
        rpc = self._session.rpc

        # The server, which is no client, asks too: for an idle session, and from the list of sessions.
        @rpc.method(
            "suspend_session",
            Param("force", "boolean", False, doc="whatever stands against it"),
            Param("reason", "string", "", doc="a sentence that its user is told"),
            open_to_strangers=True,
            is_use=False,
        )
        def suspend_session(force: bool, reason: str) -> "Deferred[dict[str, object]]":
            """Write everything and end the process; `{"suspended", "blockers": [{"kind", "reason"}]}`."""
            return Deferred.fromCoroutine(self._suspend(force, reason))

        @rpc.method("cancel_suspend")
        def cancel_suspend() -> None:
            """Stop a suspension or a checkpoint that is being written."""
            self._snapshots.cancel()

        @rpc.method("checkpoint_session")
        def checkpoint_session() -> "Deferred[dict[str, object]]":
            """Write the objects now, while R goes on; `{"created", "bytes", "written", "unread"}`."""
            return Deferred.fromCoroutine(self._checkpoint())

    def _add_state_methods(self) -> None:
        rpc = self._session.rpc

        @rpc.method("get_workspace_state", is_use=False)
        def get_workspace_state() -> dict[str, object]:
            """How far objects are loaded after a resume, and the last snapshot."""
            state = {"saved": self._snapshots.last, "open": self._snapshots.is_open}
            return self._state() | state | {"untracked": self._restoration.untracked}

        @rpc.method("stop_loading")
        def stop_loading() -> None:
            """Load no further objects in the background; each still comes when it is touched."""
            self._restoration.stop()

    def _add_timeout_methods(self) -> None:
        rpc = self._session.rpc

        @rpc.method("keep_running")
        def keep_running() -> None:
            """Somebody is there: time-outs begin anew. Pages call it when they are used, once a minute at most."""

        # The server and its administrator ask too.
        @rpc.method("get_status", open_to_strangers=True, is_use=False)
        def get_status() -> "Deferred[dict[str, object]]":
            """`{"idle": seconds, "busy", "blockers": [{"kind", "reason"}], "timeouts"}`; see event session_timeouts."""
            return Deferred.fromCoroutine(self._timeouts.status())

    def _state(self) -> dict[str, object]:
        return self._restoration.state() | {"saved_at": self._folder.saved_at}

    async def _suspend(self, is_forced: bool, reason: str) -> dict[str, object]:
        await self._wait_until_open()
        return await self._suspension.suspend(is_forced, reason)

    async def _checkpoint(self) -> dict[str, object]:
        await self._wait_until_open()
        try:
            return await self._checkpoints.take()
        except NotWritten as error:
            raise RpcError(ErrorCode.NOT_WRITABLE, str(error)) from error

    async def _wait_until_open(self) -> None:
        if not await self._snapshots.when_open():
            raise RpcError(ErrorCode.UNAVAILABLE, "the objects of this session cannot be kept")

    def _prepare(self) -> bool:
        try:
            if self._folder.holds_objects and not self._settings.restores:
                self._say(sentences.not_restored(self._folder.set_aside(NOT_RESTORED)))
            self._folder.make()
            if self._settings.starts_without and (aside := self._folder.last_aside(NOT_RESTORED)):
                self._say(sentences.not_restored(aside))
            if little := sentences.little_room(self._folder.path):
                self._say(little)
        except OSError as error:
            _log.warn("the objects of this session cannot be kept: {reason}", reason=str(error))
            self._say(sentences.cannot_keep(self._folder.path, error))
            return False
        return True

    def _say(self, text: str) -> None:
        self._session.events.emit("show_message", {"kind": "warning", "text": text})

    async def _after_restart(self) -> None:
        """The command of whoever restarted R; lines of pages that are faster come before it."""
        await self._snapshots.when_open()
        if self._settings.after_restart and not self._session.has_ended:
            self._session.input(self._settings.after_restart, "")

    def _show_again(self) -> None:
        console, shown = self._session.console, self._console.read()
        console.show_again(shown)
        console.on_text.append(self._console.add)
        self._console.begin()
        if shown or self._folder.holds_objects:
            console.note(self._begun_again())

    def _begun_again(self) -> str:
        folder, is_restart = self._folder, self._settings.after_restart is not None
        return sentences.begun_again(folder.saved_at, folder.was_suspended, is_restart, time.time())

    def _tell_saved(self) -> None:
        """What a kill would leave; without anything typed there is nothing to lose."""
        saved = self._folder.saved_at
        if saved is not None:
            self._session.tell_saved(saved)
        else:
            self._session.on_input(lambda line, is_history: self._tell_nothing_saved())

    def _tell_nothing_saved(self) -> None:
        if self._folder.saved_at is None:
            self._session.tell_saved(0)

    def _clean_up(self) -> None:
        session, paths = self._session, self._session.paths
        left = ids_of(session.environment.get(_LEFT_SESSIONS, ""), paths.session_id)
        in_thread(remove_sessions, paths.state, left).addErrback(_not_cleaned)
        in_thread(prune_asides, Path(self._folder.session_path)).addErrback(_not_cleaned)

    def _policy(self) -> SavePolicy:
        project = self._session.project
        options = project.options if project else None
        return save_policy(self._settings.save_default, read_preferences(self._session.environment), options)

    def _end(self) -> None:
        """A session that was quit leaves nothing; one that ended otherwise can come back."""
        self._console.end()
        if not self._settings.rules.children:
            end_started_processes()
        self._history.image_was_saved = self._quitting.image_saved
        self._history.end()
        # A profile may quit before the store was looked at.
        if self._session.ending.was_quit and self._snapshots.is_open:
            self._folder.discard()


def _not_cleaned(failure: Failure) -> None:
    _log.warn("folders of old sessions were not removed: {reason}", reason=failure.getErrorMessage())

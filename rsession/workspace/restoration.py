"""The start of a session that has objects in its store: page and prompt at once, objects as they are wanted."""

import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession import _shim
from rsession.workspace import sentences
from rsession.workspace.recovery import Recovery, last_end

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rsession.session import Session
    from rsession.workspace.folder import StoreFolder
    from rsession.workspace.settings import WorkspaceSettings
    from rsession.workspace.snapshots import Snapshots

_log = Logger()
_PAUSE_SECONDS = 0.005
_BUSY_SECONDS = 0.5
_PROGRESS_SECONDS = 0.2
_PATIENCE_SECONDS = 1.0


class Restoration:
    """Opens the store; then loads what is in it, bit by bit, while R is idle."""

    def __init__(
        self, session: "Session", folder: "StoreFolder", snapshots: "Snapshots", settings: "WorkspaceSettings"
    ) -> None:
        self._session = session
        self._folder = folder
        self._snapshots = snapshots
        self._settings = settings
        self._recovery = Recovery(session)
        self._prompt: Deferred[None] | None = None
        self._total = 0.0
        self._loaded = 0.0
        self._left = 0
        self._told = 0.0
        self._patience: IDelayedCall | None = None
        self.is_loading = False
        self.untracked: str | None = None
        """Why every snapshot reads all objects; empty when writes to them are tracked, None before it is known."""
        session.on_prompt(self._prompted)
        session.on_r_event("workspace_damaged", self._tell_damage)
        session.on_r_event("workspace_packages", lambda count: self._await_packages(int(str(count))))
        session.on_r_event("workspace_left_out", lambda name: self._say("warning", sentences.left_out(str(name))))

    def begin(self) -> None:
        """Queue the opening of the store before any line of the user."""
        Deferred.fromCoroutine(self._run()).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        # A profile that quits ends R before its first prompt: nothing went wrong with the objects.
        if not self._session.has_ended:
            _log.warn("no objects were restored: {reason}", reason=failure.getErrorMessage())
        self._snapshots.opened(False)

    def stop(self) -> None:
        """Load nothing more in the background; objects still come when they are touched."""
        self.is_loading = False

    def state(self) -> dict[str, object]:
        """For a page that opens."""
        return {"loading": self.is_loading, "left": self._left, "done": self._loaded, "total": self._total}

    async def _run(self) -> None:
        opened = await self._open("0")
        if opened.get("early"):
            self._prompt = Deferred()
            await self._prompt
            opened = await self._open("1")
        if "complaint" in opened and "of_r" not in opened:
            opened = await self._start_anew(str(opened["complaint"]))
        if "complaint" in opened:
            self._say("warning", f"The objects of this session cannot be kept: {opened['complaint']}.")
        self._snapshots.opened("complaint" not in opened)
        if "complaint" in opened:
            return
        self.untracked = str(opened["untracked"])
        if self.untracked:
            _log.info("each snapshot reads all objects: writes are not tracked: {reason}", reason=self.untracked)
        if opened["restored"] is not None:
            self._tell_restored(cast("dict[str, object]", opened["restored"]))
        else:
            self._tell_end()

    async def _open(self, is_late: str) -> dict[str, object]:
        ephemeral = ":".join(self._settings.ephemeral_variables)
        skipped = "1" if self._settings.skipped_profile else "0"
        path, library = self._folder.path, _shim.__file__
        opened: Deferred[dict[str, object]] = Deferred.fromCoroutine(
            self._ask("workspace_begin", library, path, is_late, ephemeral, skipped)
        )
        # R takes both calls before any line.
        namespaces = Deferred.fromCoroutine(self._load_namespaces())
        namespaces.addErrback(lambda failure: _log.warn("packages: {reason}", reason=failure.getErrorMessage()))
        return await opened

    def _await_packages(self, count: int) -> None:
        """R takes no line before they are loaded: who waits long is told why."""
        self._patience = self._session.clock.callLater(_PATIENCE_SECONDS, self._tell_packages, count)

    def _tell_packages(self, count: int) -> None:
        self._session.console.note(sentences.loading_packages(count))
        self._session.listeners.notify()

    async def _load_namespaces(self) -> None:
        try:
            missing = cast("list[str]", await self._ask("workspace_load_namespaces"))
        finally:
            if self._patience is not None and self._patience.active():
                self._patience.cancel()
        if missing:
            self._say("warning", f"These packages cannot be loaded again: {sentences.listing(missing)}.")

    async def _start_anew(self, complaint: str) -> dict[str, object]:
        if not self._folder.holds_objects:
            return {"complaint": complaint}
        aside = self._folder.set_aside("damaged", keeps_console=True)
        self._say("error", f"The saved objects cannot be used: {complaint}. They were set aside in {aside}.")
        return await self._open("1")

    def _tell_end(self) -> None:
        """After a crash that left no objects its user reads why there are none."""
        end = last_end(self._session.environment)
        if end["cause"]:
            # Whoever saw the end says what became of the objects.
            lost = "" if end["ended"] is not None else " Nothing had been saved of its objects yet: they are lost."
            self._say("warning", f"The session ended unexpectedly before. {end['cause']}{lost}")

    def _tell_restored(self, report: dict[str, object]) -> None:
        for kind, text in sentences.restored(report):
            self._say(kind, text)
        if report["damaged_packs"]:
            self._say("error", "Files of the saved objects are missing or cut off; some objects will not come back.")
        self._total = float(str(report["bytes"]))
        self._left = int(str(report["objects"]))
        self._session.events.emit("workspace_restored", {"objects": self._left, "bytes": self._total})
        self._session.events.emit("environment_changed", {"reset": True})
        if not report["suspended"]:
            self._recovery.offer(report)
        self.is_loading = True
        self._tell_progress()
        Deferred.fromCoroutine(self._load_rest()).addErrback(
            lambda failure: _log.warn("objects are not loaded: {reason}", reason=failure.getErrorMessage())
        )

    async def _load_rest(self) -> None:
        await self._idle()
        await self._session.jobs.call("plots_draw_again")
        while self.is_loading and self._left > 0:
            await self._idle()
            if self.is_loading:
                await self._load_some()
        self.is_loading = False
        self._tell_progress()

    async def _load_some(self) -> None:
        part = await self._ask("workspace_load_some")
        self._left = int(str(part["left"]))
        self._loaded += float(str(part["bytes"]))
        if self._session.clock.seconds() - self._told > _PROGRESS_SECONDS:
            self._tell_progress()

    def _tell_progress(self) -> None:
        self._told = self._session.clock.seconds()
        progress = {"action": "resume", "done": self._loaded, "total": self._total, "left": self._left}
        self._session.events.emit("workspace_progress", progress | {"loading": self.is_loading})

    async def _idle(self) -> None:
        await self._wait(_PAUSE_SECONDS)
        while not self._session.console.is_idle_at_top or self._session.input_refusal is not None:
            await self._wait(_BUSY_SECONDS)

    async def _wait(self, seconds: float) -> None:
        waiting: Deferred[None] = Deferred()
        self._session.clock.callLater(seconds, waiting.callback, None)
        await waiting

    async def _ask(self, function: str, *arguments: str) -> Any:
        return json.loads(await self._session.jobs.call(function, *arguments))

    def _prompted(self) -> None:
        if self._prompt is not None and not self._prompt.called:
            self._prompt.callback(None)

    def _tell_damage(self, data: object) -> None:
        if isinstance(data, dict):
            self._say("error", f"{data['text']}. What else can be read is restored.")

    def _say(self, kind: str, text: str) -> None:
        self._session.events.emit("show_message", {"kind": kind, "text": text})

"""Taking snapshots: one at a time, each with its progress and its outcome."""

import json
import time
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rsession.error_code import RpcError
from rsession.workspace import sentences
from rsession.workspace.writer import Writer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.session import Session
    from rsession.workspace.console_file import ConsoleFile
    from rsession.workspace.folder import StoreFolder
    from rsession.workspace.settings import WorkspaceSettings

_log = Logger()
_MOST_STAGES = 128
"""Objects that change faster than they are written are written at once in the end."""


class NotWritten(Exception):
    """The message is for the user."""


class Snapshots:
    """Writes the store of a session. Nothing here may be used before R has opened the store."""

    def __init__(
        self, session: "Session", folder: "StoreFolder", settings: "WorkspaceSettings", console: "ConsoleFile"
    ) -> None:
        self._session = session
        self._console = console
        self._folder = folder
        self._settings = settings
        self._writer: Writer | None = None
        self._was_cancelled = False
        self._waiting: list[Deferred[None]] = []
        self._opening: list[Deferred[bool]] = []
        self._is_open: bool | None = None
        self.last: dict[str, object] | None = None
        """Of the last one that was completed: `{"created","bytes","written","unread"}`."""
        self.pointers: list[str] = []
        """Names of objects that were connected to something outside of R when they were last written."""
        self.failed: list[str] = []
        """Names of objects that R could not write then."""
        session.on_r_event("workspace_writer", self._told_pid)

    @property
    def is_open(self) -> bool:
        """R has opened the store."""
        return self._is_open is True

    def opened(self, is_open: bool) -> None:
        """Whether there is a store in this process."""
        self._is_open = is_open
        waiting, self._opening = self._opening, []
        for deferred in waiting:
            deferred.callback(is_open)

    def when_open(self) -> "Deferred[bool]":
        """Fires as soon as it is known whether there is a store."""
        waiting: Deferred[bool] = Deferred()
        if self._is_open is None:
            self._opening.append(waiting)
        else:
            waiting.callback(self._is_open)
        return waiting

    async def checkpoint(self) -> dict[str, object]:
        """Write while R goes on; raises NotWritten."""
        done = await self._checkpoint()
        if done is None:
            _log.warn("the writer of a checkpoint crashed: from now on all objects are read for each")
            await self._call("workspace_distrust")
            done = await self._checkpoint()
        return self._completed(done)

    async def _checkpoint(self) -> dict[str, object] | None:
        """The writer's last word; None when it crashed."""
        stages: list[dict[str, object]] = []
        try:
            outcome = await self._write_stages(stages)
        except NotWritten:
            await self._drop(stages)
            raise
        if outcome is None or outcome["end"] != "ok":
            await self._drop(stages)
            return outcome
        written = sum(int(str(stage["written"])) for stage in [*stages, outcome])
        return outcome | {"written": written, "unread": [*stages, outcome][0]["unread"]}

    async def _write_stages(self, stages: list[dict[str, object]]) -> dict[str, object] | None:
        """The last word of the last writer. A large snapshot is written in stages, each by a writer of its own."""
        while True:
            outcome, is_stage = await self._write_stage(len(stages) < _MOST_STAGES)
            if outcome is None or outcome["end"] != "ok" or not is_stage:
                return outcome
            stages.append(outcome)

    async def _drop(self, stages: list[dict[str, object]]) -> None:
        if stages and not self._session.has_ended:
            await self._call("workspace_drop_stages")

    async def _write_stage(self, in_stages: bool) -> tuple[dict[str, object] | None, bool]:
        """The last word as above, and whether there is more to write."""
        writer = await self._begin("checkpoint")
        try:
            answer = await self._call("workspace_checkpoint", writer, *self._wishes(), "1" if in_stages else "0")
            writer.pid = cast("int | None", answer.get("pid"))
            writer.forked()
            outcome = await writer.ended
            has_crashed = await writer.reap()
            if "error" in answer:
                raise NotWritten(str(answer["error"]))
            await self._settle(bool(answer["is_stage"]))
            if outcome is None and not has_crashed:
                raise NotWritten(sentences.failure(None, self._folder.path))
            return outcome, bool(answer["is_stage"])
        finally:
            self._end(writer)

    async def _settle(self, is_stage: bool) -> None:
        if is_stage:
            await self._call("workspace_settle_stage")
        else:
            self._note_lost(await self._call("workspace_settle"))

    async def suspend(self, heeds_failed: bool, heeds_pointers: bool, status: int) -> dict[str, object]:
        """Write while R waits; R's process ends by itself afterwards unless the answer says `blocked`.

        status: its exit code. heeds_failed: objects that R cannot write block; heeds_pointers: those that
        are connected to something outside of R.
        """
        writer = await self._begin("suspend")
        try:
            heeds = ("1" if each else "0" for each in (heeds_failed, heeds_pointers))
            answer = await self._call("workspace_suspend", writer, *self._wishes(), *heeds, str(status))
            writer.pid = None
            if answer.get("written"):
                self._note_lost(cast("dict[str, object]", answer["lost"]))
                # R is about to end: nothing may be waited for any more.
                self.last = cast("dict[str, object]", answer["saved"])
                return answer
            writer.forked()
            outcome = await writer.ended
            raise NotWritten(str(answer.get("error") or self._failure(outcome)))
        finally:
            self._end(writer)

    async def leave(self, status: int) -> None:
        """Have R end with this exit code before it reads another line, objects unwritten. Raises NotWritten."""
        try:
            self._folder.make()
            self._session.run_snapshot_callbacks()
            self._console.write_all()
        except OSError as error:
            raise NotWritten(f"What the console shows could not be written: {error.strerror}.") from error
        await self._call("workspace_leave", None, str(status))

    def _note_lost(self, settled: dict[str, object]) -> None:
        self.pointers = cast("list[str]", settled.get("blocking", []))
        self.failed = cast("list[str]", settled.get("failed", []))

    def cancel(self) -> None:
        """Stop the writer."""
        if self._writer is not None:
            self._was_cancelled = True
            self._writer.kill()

    async def _begin(self, action: str) -> Writer:
        while self._writer is not None:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting
        clock = cast("IReactorFDSet", self._session.clock)
        self._was_cancelled = False
        writer = self._writer = Writer(clock, lambda done, total: self._tell(action, done, total))
        try:
            self._folder.make()
            self._session.run_snapshot_callbacks()
            self._console.write_all()
            await self._describe()
        except OSError as error:
            self._end(writer)
            raise NotWritten(f"The objects could not be written: {error.strerror}.") from error
        except BaseException:
            self._end(writer)
            raise
        return writer

    def _end(self, writer: Writer) -> None:
        writer.forked()
        self._writer = None
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)

    async def _describe(self) -> None:
        start: object = 1
        while start is not None:
            start = json.loads(await self._session.jobs.call("workspace_describe", str(start)))

    def _wishes(self) -> tuple[str, str]:
        return "1" if self._settings.compresses else "0", str(self._settings.limit_bytes)

    async def _call(self, function: str, writer: Writer | None = None, *arguments: str) -> dict[str, object]:
        given = arguments if writer is None else (writer.descriptor, *arguments)
        try:
            return cast("dict[str, object]", json.loads(await self._session.jobs.call(function, *given)))
        except RpcError as error:
            raise NotWritten(error.message) from error

    def _completed(self, outcome: dict[str, object] | None) -> dict[str, object]:
        if outcome is None or outcome["end"] != "ok":
            raise NotWritten(self._failure(outcome))
        self.last = {
            "created": time.time(),
            "bytes": outcome["bytes"],
            "written": outcome["written"],
            "unread": outcome["unread"],
        }
        return self.last

    def _failure(self, outcome: dict[str, object] | None) -> str:
        return sentences.CANCELLED if self._was_cancelled else sentences.failure(outcome, self._folder.path)

    def _tell(self, action: str, done: int, total: float) -> None:
        self._session.events.emit("workspace_progress", {"action": action, "done": done, "total": total})

    def _told_pid(self, pid: object) -> None:
        if self._writer is not None:
            self._writer.pid = int(str(pid))

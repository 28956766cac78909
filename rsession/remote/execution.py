"""Code of programs: run whole, with what it wrote, the files it changed and the objects that are wanted of it."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredLock

from rsession.error_code import ErrorCode, RError, RpcError
from rsession.remote import changed_files
from rsession.remote.r_values import r_code
from rsession.segment_kind import BatchEnd
from rsession.services.background import in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rsession.session import Session

MOST_OUTPUT = 64 << 20
MOST_HISTORY = 10_000
MOST_WAITING = 100
FEW_FILES = 200
_CUT = "\n[more output is not kept]\n"
_INCOMPLETE = "The code is not complete: R expects more after its last line."
_BROWSER = "browser() was called, and nobody is there to answer it."
_SAID = {BatchEnd.INCOMPLETE: _INCOMPLETE, BatchEnd.IN_BROWSER: _BROWSER}
_CANCELLED = "The execution was cancelled."


@dataclass
class Output:
    """What an execution wrote, bounded."""

    pieces: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """More text; beyond 64 Mi characters nothing is kept."""
        if self.size > MOST_OUTPUT:
            return
        self.size += len(text)
        self.pieces.append(text if self.size <= MOST_OUTPUT else _CUT)

    def text(self) -> str:
        """All of it."""
        self.pieces = ["".join(self.pieces)]
        return self.pieces[0]


class Execution:
    """The executions of a session, one after the other in the order in which they came."""

    def __init__(self, session: "Session", folder: str) -> None:
        self._session, self._folder = session, folder
        self._output = Output()
        self._history: deque[str] = deque(maxlen=MOST_HISTORY)
        self._turn = DeferredLock()
        self._is_running = self._cancelled = False
        self._files = 0
        self._has_plots = False
        session.on_r_event("plots_changed", self._note_plots)

    @property
    def console_output(self) -> str:
        """What the running execution, or the last one, wrote up to now."""
        return self._output.text()

    @property
    def history(self) -> list[str]:
        """The pieces of code, oldest first."""
        return list(self._history)

    async def run(self, code: str, inputs: "Mapping[str, object]", outputs: "Sequence[str]") -> dict[str, object]:
        """The answer to one execution. NoRValue for inputs that R cannot hold, RpcError."""
        made = {name: r_code(value) for name, value in inputs.items()}
        if len(self._turn.waiting) >= MOST_WAITING:
            raise RpcError(ErrorCode.UNAVAILABLE, f"{MOST_WAITING} executions wait for this session already.")
        await self._turn.acquire()
        try:
            return await self._run(code, made, outputs)
        finally:
            self._turn.release()

    async def _run(self, code: str, inputs: "Mapping[str, str]", outputs: "Sequence[str]") -> dict[str, object]:
        self._cancelled = False
        for name, made in inputs.items():
            await self._session.jobs.call("remote_assign", name, made)
        output = self._output = Output()
        self._history.append(code)
        before = await self._look()
        how = await self._batch(code, output)
        if self._has_plots:
            await self._session.jobs.call("remote_plots", self._folder)
        error = await self._error(how, output)
        found = [] if error else [await self._wanted(name) for name in outputs]
        error = error or next((why for _, _, why in found if why), "")
        return {
            "success": not error,
            "errorMessage": error,
            "outputParameters": [{"name": name, "value": value} for name, value, why in found if not why],
            "consoleOutput": output.text(),
            "changedFiles": changed_files.changed(before, await self._look()),
        }

    def cancel(self) -> None:
        """Stop what runs; what waits behind it goes on, and the session stays."""
        if self._is_running:
            self._cancelled = True
            self._session.console.interrupt()

    def _note_plots(self, _state: object) -> None:
        self._has_plots = True

    async def _look(self) -> changed_files.Look:
        if self._files <= FEW_FILES:
            found = changed_files.look(self._folder)
        else:
            found = await in_thread(changed_files.look, self._folder)
        self._files = len(found)
        return found

    async def _batch(self, code: str, output: Output) -> BatchEnd:
        ended: Deferred[BatchEnd] = Deferred()
        self._session.batches.run(code, "", lambda _kind, text: output.add(text), ended.callback)
        self._is_running = True
        try:
            return await ended
        finally:
            self._is_running = False

    async def _error(self, how: BatchEnd, output: Output) -> str:
        if how is BatchEnd.DONE:
            return ""
        if how in _SAID:
            output.add(f"Error: {_SAID[how]}\n")
            return _SAID[how]
        if how is BatchEnd.DROPPED or self._cancelled:
            return _CANCELLED
        return str(json.loads(await self._session.jobs.call("remote_error"))).strip()

    async def _wanted(self, name: str) -> tuple[str, object, str]:
        """Name, value, and why there is none."""
        try:
            answer = json.loads(await self._session.jobs.call("remote_output", name))
        except RError as error:
            return name, None, f"object '{name}' has no JSON form: {error.message}"
        return name, answer.get("value"), answer.get("why", "")

"""One session on the reactor's thread: R's messages in, events and answers out."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from twisted.logger import Logger

from rserver_core.last_word import NEVER_READY
from rsession import _shim
from rsession.batches import Batches
from rsession.console import Console
from rsession.error_code import ErrorCode, RpcError
from rsession.event_log import EventLog
from rsession.listeners import Listeners
from rsession.missed_messages import MissedMessages
from rsession.open_editor import OpenEditor
from rsession.r_jobs import RJobs
from rsession.r_process import RProcess
from rsession.rpc_method import MethodTable
from rsession.segment_kind import BatchEnd, SegmentKind
from rsession.segment_reader import Segment, SegmentReader
from rsession.site import Routes
from rsession.state_paths import StatePaths

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from rsession.presence.presence import Presence
    from rsession.projects.folder import Project

_LOOK_SECONDS = 0.5

_log = Logger()

Callback = Callable[[], None]


class Events:
    """See `service_api.Events`."""

    def __init__(self, log: EventLog, listeners: Listeners, missed: MissedMessages) -> None:
        self._log = log
        self._listeners = listeners
        self._missed = missed

    def emit(self, type: str, data: object) -> None:  # noqa: A002 - the protocol's own word
        """Append an event and tell the listeners."""
        self._log.append(type, data)
        if type == "show_message" and not self._listeners.has_any:
            self._missed.keep(data)
        self._listeners.notify()


class Session:
    """The session as `service_api.ServiceApi`, and the place where R's segments arrive."""

    def __init__(self, clock: "IReactorTime", paths: StatePaths, environment: Mapping[str, str]) -> None:
        self.clock = clock
        self.paths = paths
        self.environment = environment
        self.log = EventLog()
        self.listeners = Listeners(self.log, clock)
        self.process = RProcess(clock)
        self.console = self.r = Console(_shim, self.log, self.process.interrupt)
        self.batches = Batches(self.console)
        self.jobs = RJobs(_shim)
        self.missed = MissedMessages()
        self.events = Events(self.log, self.listeners, self.missed)
        self.routes = Routes()
        self.rpc = MethodTable()
        self.editor = OpenEditor()
        self.presence: Presence | None = None
        """Who else is in the open project."""
        self.client_init_fields: dict[str, Callable[[], object]] = {}
        self.reader = SegmentReader(_shim, clock, self.listeners.must_wait, self._read_turn)
        self.listeners.on_progress = self.reader.resume
        self.on_quit: Callback = lambda: None
        self.tell_saved: Callable[[float], None] = lambda saved: None
        """When the objects were saved that would come back after a crash, seconds since 1970; 0: none were."""
        self.say: Callable[[str], None] = lambda sentence: None
        """Tell the server's keeper why the process ends."""
        self.use_callbacks: list[Callback] = []
        self.input_refusal: str | None = None
        """Why lines are not accepted at the moment."""
        self.project: Project | None = None
        """The open one; replaced when its file is changed."""
        self.last_word = ""
        """Why the process ends, a sentence for the user; empty when R was quit."""
        self.exit_status: int | None = None
        """Of R, which is ending."""
        self.was_quit = False
        """R ends because somebody said so: by `q()`, or by `quit_session`."""
        self._prompt_callbacks: list[Callback] = []
        self._end_callbacks: list[Callback] = []
        self._project_closed_callbacks: list[Callback] = []
        self._snapshot_callbacks: list[Callback] = []
        self._saved_callbacks: list[Callable[[str], None]] = []
        self._r_event_callbacks: dict[str, list[Callable[[object], None]]] = {}
        self._prompts_due = False
        self._look: IDelayedCall | None = None

    def on_prompt(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_prompt`."""
        self._prompt_callbacks.append(callback)

    def on_input(self, callback: Callable[[str, bool], None]) -> None:
        """See `service_api.ServiceApi.on_input`."""
        self.console.on_input.append(lambda line, is_history: _guarded(lambda: callback(line, is_history)))

    def on_r_event(self, type: str, callback: Callable[[object], None]) -> None:  # noqa: A002 - the protocol's own word
        """See `service_api.ServiceApi.on_r_event`."""
        self._r_event_callbacks.setdefault(type, []).append(callback)

    def on_saved(self, callback: Callable[[str], None]) -> None:
        """Call back with the path of every file that the editor has written."""
        self._saved_callbacks.append(callback)

    def saved(self, path: str) -> None:
        """See `service_api.ServiceApi.saved`."""
        for callback in self._saved_callbacks:
            _guarded(lambda callback=callback: callback(path))  # type: ignore[misc]

    def on_project_closed(self, callback: Callback) -> None:
        """Call back when the project is closed while the session goes on."""
        self._project_closed_callbacks.append(callback)

    def close_project(self) -> None:
        """Go on without a project."""
        self.project = None
        for callback in self._project_closed_callbacks:
            _guarded(callback)

    def on_end(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_end`."""
        self._end_callbacks.append(callback)

    def on_snapshot(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_snapshot`."""
        self._snapshot_callbacks.append(callback)

    def run_snapshot_callbacks(self) -> None:
        """The objects are about to be written."""
        for callback in self._snapshot_callbacks:
            _guarded(callback)

    def add_to_client_init(self, key: str, provide: Callable[[], object]) -> None:
        """See `service_api.ServiceApi.add_to_client_init`."""
        self.client_init_fields[key] = provide

    def input(self, text: str, console_id: str) -> None:
        """Give lines to R; raises RpcError UNAVAILABLE while there is a reason to refuse them."""
        if self.input_refusal is not None:
            raise RpcError(ErrorCode.UNAVAILABLE, self.input_refusal)
        self.console.input(text, console_id)

    def leave(self, status: int, reason: str) -> None:
        """End this process at once, for a reason that its user is told."""
        self.say(reason)
        self.process.leave(status)

    def use(self) -> None:
        """Somebody does something with the session."""
        for callback in self.use_callbacks:
            _guarded(callback)

    @property
    def has_ended(self) -> bool:
        """R is gone, or going."""
        return self.exit_status is not None

    def _read_turn(self, segments: list[Segment]) -> None:
        for kind, number, first, second in segments:
            self._read(kind, number, first, second)
        self.listeners.notify()
        if self._prompts_due:
            self.clock.callLater(0, self._run_prompt_callbacks)

    def _read(self, kind: int, number: int, first: bytes, second: bytes) -> None:
        if kind <= SegmentKind.ERROR:
            self.console.read_text(first, kind == SegmentKind.ERROR)
        elif kind == SegmentKind.PROMPT:
            self.process.asks()
            self.console.read_prompt(_text(first), number == 1)
            self._prompts_due = self.console.is_idle_at_top
        elif kind == SegmentKind.INPUT:
            self.batches.read_input(number >> 1)
            self.console.read_input(number >> 1, number & 1 == 1, _text(first), _text(second))
        elif kind == SegmentKind.EMITTED:
            self._read_emitted(_text(first), second)
        elif kind == SegmentKind.RESULT:
            _guarded(lambda: self.jobs.read_result(number >> 2, number & 3, first))
        elif kind == SegmentKind.BATCH_END:
            _guarded(lambda: self.batches.read_end(number >> 3, BatchEnd(number & 7)))
        elif kind == SegmentKind.IDLE:
            self._look_later()
        elif kind == SegmentKind.QUIT:
            self._read_quit(number, first)

    def _look_later(self) -> None:
        """A handler ran R code at the prompt; handlers may run often."""
        if self._look is None:
            self._look = self.clock.callLater(_LOOK_SECONDS, self._run_prompt_callbacks)

    def _read_emitted(self, type: str, data: bytes) -> None:  # noqa: A002 - the protocol's own word
        value = json.loads(data)
        callbacks = self._r_event_callbacks.get(type)
        if callbacks is None:
            self.log.append(type, value)
            return
        for callback in callbacks:
            _guarded(lambda callback=callback: callback(value))  # type: ignore[misc]

    def _read_quit(self, status: int, how: bytes) -> None:
        self.was_quit = how == b"quit"
        self.exit_status = status
        self.jobs.end()
        for callback in self._end_callbacks:
            _guarded(callback)
        self.log.append("quit", {"status": status})
        self.listeners.notify()
        if how == b"early" and not self.process.end_was_asked:
            self.last_word = NEVER_READY
        if self.last_word:
            self.say(self.last_word)
        self.on_quit()

    def _run_prompt_callbacks(self) -> None:
        self._prompts_due = False
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._look = None
        if self.console.is_idle_at_top:
            for callback in self._prompt_callbacks:
                _guarded(callback)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _guarded(callback: Callback) -> None:
    try:
        callback()
    except Exception:
        _log.failure("a service failed")

"""One session on the reactor's thread: R's messages in, events and answers out."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rserver_core.last_word import NEVER_READY
from rsession import _shim
from rsession.batches import Batches
from rsession.callbacks import Callback, Callbacks, guarded, run
from rsession.console import Console
from rsession.ending import Ending
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
        self.callbacks = Callbacks()
        self.ending = Ending()
        self.input_refusal: str | None = None
        """Why lines are not accepted at the moment."""
        self.project: Project | None = None
        """The open one; replaced when its file is changed."""
        self._prompts_due = False
        self._look: IDelayedCall | None = None

    def on_prompt(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_prompt`."""
        self.callbacks.prompt.append(callback)

    def on_input(self, callback: Callable[[str, bool], None]) -> None:
        """See `service_api.ServiceApi.on_input`."""
        self.console.on_input.append(lambda line, is_history: guarded(lambda: callback(line, is_history)))

    def on_r_event(self, type: str, callback: Callable[[object], None]) -> None:  # noqa: A002 - the protocol's own word
        """See `service_api.ServiceApi.on_r_event`."""
        self.callbacks.r_events.setdefault(type, []).append(callback)

    def on_saved(self, callback: Callable[[str], None]) -> None:
        """Call back with the path of every file that the editor has written."""
        self.callbacks.saved.append(callback)

    def saved(self, path: str) -> None:
        """See `service_api.ServiceApi.saved`."""
        self.callbacks.tell_saved(path)

    def on_project_closed(self, callback: Callback) -> None:
        """Call back when the project is closed while the session goes on."""
        self.callbacks.project_closed.append(callback)

    def close_project(self) -> None:
        """Go on without a project."""
        self.project = None
        run(self.callbacks.project_closed)

    def on_end(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_end`."""
        self.callbacks.end.append(callback)

    def on_snapshot(self, callback: Callback) -> None:
        """See `service_api.ServiceApi.on_snapshot`."""
        self.callbacks.snapshot.append(callback)

    def run_snapshot_callbacks(self) -> None:
        """The objects are about to be written."""
        run(self.callbacks.snapshot)

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
        run(self.callbacks.use)

    @property
    def has_ended(self) -> bool:
        """R is gone, or going."""
        return self.ending.exit_status is not None

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
            guarded(lambda: self.jobs.read_result(number >> 2, number & 3, first))
        elif kind == SegmentKind.BATCH_END:
            guarded(lambda: self.batches.read_end(number >> 3, BatchEnd(number & 7)))
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
        if not self.callbacks.tell_r_event(type, value):
            self.log.append(type, value)

    def _read_quit(self, status: int, how: bytes) -> None:
        ending = self.ending
        ending.was_quit, ending.exit_status = how == b"quit", status
        self.jobs.end()
        run(self.callbacks.end)
        self.log.append("quit", {"status": status})
        self.listeners.notify()
        if how == b"early" and not self.process.end_was_asked:
            ending.last_word = NEVER_READY
        if ending.last_word:
            self.say(ending.last_word)
        self.on_quit()

    def _run_prompt_callbacks(self) -> None:
        self._prompts_due = False
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._look = None
        if self.console.is_idle_at_top:
            run(self.callbacks.prompt)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")

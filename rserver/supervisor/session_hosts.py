"""The two ways the master gets sessions started: by the launcher, or, without PAM sessions, by keepers of its own."""

from collections import deque
from collections.abc import Callable

from rserver.supervisor.worker_requests import Done
from rserver_core.frame import Message
from rserver_core.launch_wire import LaunchSpec, SessionRecord
from rserver_process.event_loop import Loop
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.keepers import Keepers, LaunchRefused, UnknownSession
from rserver_process.run_records import SessionExit

MAX_WAITING = 256


class LauncherHost:
    """Hands requests to the launcher under ids of our own; holds them back while the launcher is being started."""

    def __init__(self, send: Callable[[Message], None], on_event: Callable[[Message], None]) -> None:
        self._send, self._on_event = send, on_event
        self._open: dict[int, Done] = {}
        self._waiting: deque[tuple[Message, Done]] = deque()
        self._last_id = 0
        self._ready = False

    def launch(self, spec: LaunchSpec, done: Done) -> None:
        """Start a session."""
        self._request({"op": "launch", "launch": spec.to_json()}, done)

    def signal(self, session: str, name: str, done: Done) -> None:
        """Signal a session."""
        self._request({"op": "signal", "session": session, "signal": name}, done)

    def list(self, done: Done) -> None:
        """All running sessions."""
        self._request({"op": "list"}, done)

    def ready(self) -> None:
        """The launcher listens."""
        self._ready = True
        while self._waiting:
            self._forward(*self._waiting.popleft())

    def lost(self) -> None:
        """The launcher is gone: what it was doing may or may not be done, whoever asked must look."""
        self._ready = False
        unanswered, self._open = self._open, {}
        for done in unanswered.values():
            done({"error": {"code": "failed", "message": "the launcher was restarted while it worked on this"}})

    def received(self, message: Message) -> None:
        """An answer or an event of the launcher."""
        number = message.pop("id", None)
        if number is None:
            self._on_event(message)
        elif (done := self._open.pop(number, None)) is not None:
            done(message)

    def _request(self, message: Message, done: Done) -> None:
        if self._ready:
            self._forward(message, done)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append((message, done))
        else:
            done({"error": {"code": "busy", "message": "the launcher is being started and too many wait for it"}})

    def _forward(self, message: Message, done: Done) -> None:
        self._last_id += 1
        self._open[self._last_id] = done
        self._send({**message, "id": self._last_id})


class KeeperHost:
    """Starts sessions without PAM, by keepers forked from the master itself."""

    def __init__(self, loop: Loop, run_dir: str, settings: KeeperSettings, on_event: Callable[[Message], None]) -> None:
        self._on_event = on_event
        self._keepers = Keepers(loop, run_dir, settings, self._started, self._exited)

    def adopt(self) -> None:
        """Find the sessions again that an earlier master started."""
        self._keepers.adopt()

    def launch(self, spec: LaunchSpec, done: Done) -> None:
        """Start a session."""
        self._keepers.launch(spec, lambda result: done(_launch_answer(result)))

    def signal(self, session: str, name: str, done: Done) -> None:
        """Signal a session."""
        try:
            self._keepers.signal(session, name)
        except UnknownSession:
            done({"error": {"code": "unknown_session", "message": "this session does not run"}})
        else:
            done({"ok": True})

    def list(self, done: Done) -> None:
        """All running sessions."""
        done({"sessions": [record.to_json() for record in self._keepers.records()]})

    def _started(self, record: SessionRecord) -> None:
        self._on_event({"event": "started", "session": record.to_json()})

    def _exited(self, end: SessionExit) -> None:
        self._on_event({"event": "exited", **end.to_json()})


def _launch_answer(result: SessionRecord | LaunchRefused) -> Message:
    if isinstance(result, SessionRecord):
        return {"session": result.to_json()}
    error = {"code": result.code, "message": result.message}
    return {"error": error if result.record is None else {**error, "session": result.record.to_json()}}

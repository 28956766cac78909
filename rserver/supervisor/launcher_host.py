"""How the master gets sessions started inside PAM: it hands the worker's requests on to the launcher."""

from collections import deque
from collections.abc import Callable

from rserver_core.frame import Message
from rserver_core.launch_wire import LaunchSpec, session_of, signal_of
from rserver_process.requests import Done, Operation, refusal

MAX_WAITING = 256


class LauncherHost:
    """Checks requests, forwards them under ids of our own, holds them back while the launcher is being started."""

    def __init__(self, send: Callable[[Message], None], on_event: Callable[[Message], None]) -> None:
        self._send, self._on_event = send, on_event
        self._open: dict[int, Done] = {}
        self._waiting: deque[tuple[Message, Done]] = deque()
        self._last_id = 0
        self._ready = False

    @property
    def operations(self) -> dict[str, Operation]:
        """What may be asked."""
        return {"launch": self._launch, "signal": self._signal, "list": self._list}

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
            done(refusal("failed", "the launcher was restarted while it worked on this"))

    def reload(self, options: Message) -> None:
        """The configuration was read again."""
        self._request({"op": "reload", "options": options}, lambda answer: None)

    def restore(self) -> None:
        """The run directory was made again: what belongs to sessions that run is missing there."""
        self._request({"op": "restore"}, lambda answer: None)

    def received(self, message: Message) -> None:
        """An answer or an event of the launcher."""
        number = message.pop("id", None)
        if number is None:
            self._on_event(message)
        elif (done := self._open.pop(number, None)) is not None:
            done(message)

    def _launch(self, message: Message, done: Done) -> None:
        self._request({"op": "launch", "launch": LaunchSpec.from_json(message.get("launch")).to_json()}, done)

    def _signal(self, message: Message, done: Done) -> None:
        self._request({"op": "signal", "session": session_of(message), "signal": signal_of(message)}, done)

    def _list(self, _message: Message, done: Done) -> None:
        self._request({"op": "list"}, done)

    def _request(self, message: Message, done: Done) -> None:
        if self._ready:
            self._forward(message, done)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append((message, done))
        else:
            done(refusal("busy", "the launcher is being started and too many wait for it"))

    def _forward(self, message: Message, done: Done) -> None:
        self._last_id += 1
        self._open[self._last_id] = done
        self._send({**message, "id": self._last_id})

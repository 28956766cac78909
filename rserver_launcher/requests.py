"""The requests the launcher serves (docs/reference/internal-protocols.md §1)."""

import os
from collections.abc import Callable

from rserver_core.frame import FrameError, Message
from rserver_core.launch_wire import BadRequest, LaunchSpec, SessionRecord, session_of, signal_of
from rserver_process.event_loop import Loop
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.keepers import Keepers, LaunchRefused, UnknownSession
from rserver_process.pam_session import PamSession, preload
from rserver_process.run_records import SessionExit

Send = Callable[[Message], None]


class Launcher:
    """Answers each request of the master once, as soon as it is done, and tells it what happens to sessions."""

    def __init__(self, loop: Loop, send: Send) -> None:
        self._loop, self._send = loop, send
        self._keepers: Keepers | None = None
        self._operations = {"launch": self._launch, "signal": self._signal, "list": self._list}

    def configure(self, greeting: Message) -> None:
        """The greeting of the master brings the options; sessions that run already are taken over."""
        options = greeting.get("options")
        if not isinstance(options, dict):
            raise FrameError("a greeting without options")
        try:
            service, run_dir = str(options["auth-pam-sessions-profile"]), str(options["server-data-dir"])
            settings = KeeperSettings.from_options(options, os.environ)
        except KeyError as error:
            raise FrameError(f"a greeting with unusable options: {error}") from None
        self._preloaded = preload(service)
        self._keepers = Keepers(
            self._loop,
            run_dir,
            settings,
            lambda record: self._send({"event": "started", "session": record.to_json()}),
            self._exited,
            lambda account: PamSession(service, account),
        )
        self._keepers.adopt()

    def received(self, message: Message) -> None:
        """One request."""
        number = message.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise FrameError("a request without an id")
        operation = self._operations.get(str(message.get("op")))
        try:
            if operation is None or self._keepers is None:
                raise BadRequest("op is none of launch, signal, list")
            operation(number, message, self._keepers)
        except BadRequest as error:
            self._refuse(number, "bad_request", str(error))

    def _launch(self, number: int, message: Message, keepers: Keepers) -> None:
        spec = LaunchSpec.from_json(message.get("launch"))
        keepers.launch(spec, lambda result: self._launched(number, result))

    def _launched(self, number: int, result: SessionRecord | LaunchRefused) -> None:
        if isinstance(result, SessionRecord):
            self._send({"id": number, "session": result.to_json()})
        else:
            self._refuse(number, result.code, result.message, result.record)

    def _signal(self, number: int, message: Message, keepers: Keepers) -> None:
        try:
            keepers.signal(session_of(message), signal_of(message))
        except UnknownSession:
            self._refuse(number, "unknown_session", "this session does not run")
        else:
            self._send({"id": number, "ok": True})

    def _list(self, number: int, _message: Message, keepers: Keepers) -> None:
        self._send({"id": number, "sessions": [record.to_json() for record in keepers.records()]})

    def _exited(self, end: SessionExit) -> None:
        self._send({"event": "exited", **end.to_json()})

    def _refuse(self, number: int, code: str, text: str, record: SessionRecord | None = None) -> None:
        error: Message = {"code": code, "message": text}
        if record:
            error["session"] = record.to_json()
        self._send({"id": number, "error": error})

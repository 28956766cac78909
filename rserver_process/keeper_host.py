"""Keepers behind messages: how launcher and master start, signal and list sessions for whoever asks."""

from collections.abc import Callable

from rserver_core.frame import Message
from rserver_core.launch_wire import LaunchSpec, SessionRecord, session_of, signal_of
from rserver_process.event_loop import Loop
from rserver_process.keeper import OpenSession
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.keepers import Keepers, LaunchRefused, UnknownSession
from rserver_process.log_line import log_line
from rserver_process.requests import Done, Operation, refusal
from rserver_process.run_records import SessionExit


class KeeperHost:
    """The operations launch, signal and list on keepers of this process; what happens to sessions goes to on_event."""

    def __init__(
        self,
        loop: Loop,
        run_dir: str,
        settings: KeeperSettings,
        on_event: Callable[[Message], None],
        open_session: OpenSession | None = None,
        pam_service: str | None = None,
    ) -> None:
        self._on_event = on_event
        self._keepers = Keepers(loop, run_dir, settings, self._started, self._exited, open_session, pam_service)

    def adopt(self) -> None:
        """Find the sessions again that an earlier process started; log what holds their limits."""
        self._keepers.adopt()
        log_line("sessions", f"limits are held: {self._keepers.limits()}")

    def reload(
        self, settings: KeeperSettings, open_session: OpenSession | None = None, pam_service: str | None = None
    ) -> None:
        """Start sessions so from now on."""
        self._keepers.reload(settings, open_session, pam_service)

    def restore(self) -> None:
        """The run directory was made again: what belongs to sessions that run is missing there."""
        self._keepers.restore()

    @property
    def operations(self) -> dict[str, Operation]:
        """What may be asked."""
        return {"launch": self._launch, "signal": self._signal, "list": self._list}

    def _launch(self, message: Message, done: Done) -> None:
        spec = LaunchSpec.from_json(message.get("launch"))
        self._keepers.launch(spec, lambda result: done(_launched(result)))

    def _signal(self, message: Message, done: Done) -> None:
        try:
            self._keepers.signal(session_of(message), signal_of(message))
        except UnknownSession:
            done(refusal("unknown_session", "this session does not run"))
        else:
            done({"ok": True})

    def _list(self, _message: Message, done: Done) -> None:
        ends = [{**end.to_json(), "stderr_tail": ""} for end in self._keepers.ends()]
        done({"sessions": [record.to_json() for record in self._keepers.records()], "exited": ends})

    def _started(self, record: SessionRecord) -> None:
        self._on_event({"event": "started", "session": record.to_json()})

    def _exited(self, end: SessionExit) -> None:
        self._on_event({"event": "exited", **end.to_json()})


def _launched(result: SessionRecord | LaunchRefused) -> Message:
    if isinstance(result, SessionRecord):
        return {"session": result.to_json()}
    if result.record is None:
        return refusal(result.code, result.message)
    return refusal(result.code, result.message, session=result.record.to_json())

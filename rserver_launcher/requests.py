"""The requests the launcher serves (docs/reference/internal-protocols.md §1)."""

import os
from collections.abc import Callable

from rserver_core.frame import FrameError, Message
from rserver_process.event_loop import Loop
from rserver_process.keeper_host import KeeperHost
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.pam_session import PamSession, preload
from rserver_process.requests import Done, Requests

Send = Callable[[Message], None]


class Launcher:
    """Answers each request of the master once, as soon as it is done, and tells it what happens to sessions."""

    def __init__(self, loop: Loop, send: Send) -> None:
        self._loop, self._send = loop, send
        self._requests = Requests({}, send)

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
        host = KeeperHost(
            self._loop, run_dir, settings, self._send, lambda account: PamSession(service, account), service
        )

        def restore(_message: Message, done: Done) -> None:
            host.restore()
            done({"ok": True})

        self._requests = Requests({**host.operations, "restore": restore}, self._send)
        host.adopt()

    def received(self, message: Message) -> None:
        """One request."""
        self._requests.received(message)

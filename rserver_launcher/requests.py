"""The requests the launcher serves (docs/reference/internal-protocols.md §1)."""

import os
from collections.abc import Callable
from typing import NamedTuple

from rserver_core.frame import FrameError, Message
from rserver_process.accounts import Account
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
        how = _how_to_start(greeting)
        self._preloaded = preload(how.service)
        host = KeeperHost(self._loop, how.run_dir, how.settings, self._send, how.open_session, how.service)

        def reload(message: Message, done: Done) -> None:
            now = _how_to_start(message)
            self._preloaded = preload(now.service)
            host.reload(now.settings, now.open_session, now.service)
            done({"ok": True})

        def restore(_message: Message, done: Done) -> None:
            host.restore()
            done({"ok": True})

        self._requests = Requests({**host.operations, "reload": reload, "restore": restore}, self._send)
        host.adopt()

    def received(self, message: Message) -> None:
        """One request."""
        self._requests.received(message)


class _HowToStart(NamedTuple):
    """service: of PAM."""

    settings: KeeperSettings
    service: str
    run_dir: str

    def open_session(self, account: Account) -> PamSession:
        return PamSession(self.service, account)


def _how_to_start(message: Message) -> _HowToStart:
    """From the options in a message of the master; FrameError."""
    options = message.get("options")
    if not isinstance(options, dict):
        raise FrameError("a message without options")
    try:
        service, run_dir = str(options["auth-pam-sessions-profile"]), str(options["server-data-dir"])
        return _HowToStart(KeeperSettings.from_options(options, os.environ), service, run_dir)
    except KeyError as error:
        raise FrameError(f"a message with unusable options: {error}") from None

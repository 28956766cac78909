"""The launcher's process: what it inherits, how it ends."""

import gc
import os
import pwd
import socket
import stat
import sys

from rserver_core.frame import Message, greeting
from rserver_launcher.requests import Launcher
from rserver_process.channel import Channel
from rserver_process.descriptors import close_all_but
from rserver_process.event_loop import Loop
from rserver_process.log_line import log_line
from rserver_process.run_records import RunDirectoryError

_CHANNEL = 3
_MISUSE = 2


def run() -> int:
    """Serve the master on descriptor 3 until it closes the channel; 2 when there is no such channel."""
    if not _is_socket(_CHANNEL):
        print("rserver-launcher: descriptor 3 is no channel; only rserver starts this program", file=sys.stderr)
        return _MISUSE
    close_all_but(range(_CHANNEL + 1))
    os.set_inheritable(_CHANNEL, False)
    return _Process().run()


class _Process:
    def __init__(self) -> None:
        self._loop = Loop()
        self._code = 0
        self._launcher = Launcher(self._loop, self._send)
        self._channel = Channel(
            self._loop,
            socket.socket(fileno=_CHANNEL),
            self._launcher.received,
            self._closed,
            greeting=greeting("launcher"),
            peer_role="master",
            on_greeting=self._greeted,
        )

    def run(self) -> int:
        try:
            self._loop.run()
        except RunDirectoryError as error:
            _log(str(error))
            self._code = 1
        return self._code

    def _greeted(self, greeting: Message) -> None:
        self._launcher.configure(greeting)
        _share_memory()

    def _send(self, message: dict[str, object]) -> None:
        self._channel.send(message)

    def _closed(self, reason: str) -> None:
        # Sessions and keepers go on: the next launcher finds them by their records.
        _log(f"{reason}; ending, sessions go on")
        self._loop.stop()


def _share_memory() -> None:
    """Load here, once, what every keeper needs, and keep the garbage collector off it: the pages stay shared by all."""
    pwd.getpwuid(0)
    gc.collect()
    gc.freeze()


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _log(text: str) -> None:
    log_line("launcher", text)

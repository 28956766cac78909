"""The process of rserver-http: renders the configuration from the options, keeps one nginx, ends with it.

When nginx ends, so does this process, and the master starts it anew; whoever is left of nginx is swept away by the
master. Listening sockets are the master's: while nothing serves them, connections wait.
"""

import os
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any

from rserver_core.frame import Message, greeting
from rserver_core.nginx_path import NginxMissing
from rserver_http.front import Front, Sockets
from rserver_process.channel import Channel
from rserver_process.descriptors import close_all_but
from rserver_process.event_loop import Loop
from rserver_process.log_line import log_line

MISUSE = 2
FAILURE = 1
CHANNEL_FD = 3
FIRST_LISTENER_FD = 4
# Below the master's patience with us.
_FINISH_SECONDS = 3.0


def run(listen_fds: int, redirect_fds: int) -> int:
    """Serve until told to stop; the last redirect_fds of the listening sockets only lead to the others."""
    if not _is_socket(CHANNEL_FD):
        print("rserver-http: descriptor 3 is no channel; only rserver starts this program", file=sys.stderr)
        return MISUSE
    close_all_but(range(FIRST_LISTENER_FD + listen_fds))
    os.set_inheritable(CHANNEL_FD, False)
    sockets = [socket.socket(fileno=FIRST_LISTENER_FD + number) for number in range(listen_fds)]
    served = listen_fds - redirect_fds
    return _Process((sockets[:served], sockets[served:])).run()


class _Process:
    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._loop = Loop()
        self._code = 0
        self._stopping = False
        self._front: Front | None = None
        self._channel = Channel(
            self._loop,
            socket.socket(fileno=CHANNEL_FD),
            self._on_message,
            self._master_lost,
            greeting=greeting("http"),
            peer_role="master",
            on_greeting=self._begin,
        )

    def run(self) -> int:
        self._loop.on_signal(signal.SIGTERM, self._stop)
        self._loop.run()
        return self._code

    def _begin(self, message: Message) -> None:
        options = message["options"]
        try:
            front = Front(self._loop, Path(message["folder"]), options["server-http-nginx"], self._sockets)
        except NginxMissing as error:
            self._refuse(str(error))
            return
        except OSError as error:
            self._refuse(f"{error.filename} cannot be written: {error.strerror}")
            return
        if complaint := front.configure(options, message["tls"]):
            self._refuse(complaint)
            return
        self._front = front
        front.start(lambda: self._serving(front), self._failed)

    def _serving(self, front: Front) -> None:
        _log(f"nginx {front.version} serves")
        self._channel.send({"event": "serving"})

    def _on_message(self, message: dict[str, Any]) -> None:
        if message.get("event") != "options" or self._front is None or self._stopping:
            return
        if complaint := self._front.configure(message["options"], message["tls"]):
            _log(f"{complaint}; nginx goes on with the configuration it has")
        else:
            self._front.nginx.reload()

    def _failed(self, how: str) -> None:
        if not self._stopping:
            _log(how)
            self._code = FAILURE
        self._loop.stop()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        if self._front is None or not self._front.nginx.running:
            self._loop.stop()
            return
        self._front.nginx.finish()
        self._loop.call_later(_FINISH_SECONDS, self._front.nginx.end)

    def _refuse(self, reason: str) -> None:
        """Tell the master, which gives up when it has not served yet, and end."""
        _log(reason)
        self._channel.send({"event": "refused", "reason": reason})
        self._code = FAILURE
        self._loop.call_soon(self._loop.stop)

    def _master_lost(self, reason: str) -> None:
        if not self._stopping:
            _log(f"{reason}; ending")
            self._code = FAILURE
            self._stop()


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _log(text: str) -> None:
    log_line("http", text)

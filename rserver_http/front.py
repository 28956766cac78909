"""One nginx with its folder: configured from what the master says, started, reloaded."""

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rserver_http import nginx_program
from rserver_http.folder import Folder
from rserver_http.nginx_conf import Certificate, render
from rserver_http.nginx_process import Nginx
from rserver_http.settings import SettingsError, addresses, settings_of
from rserver_process.event_loop import Loop

_SERVING_SECONDS = 10.0
_LOOK_SECONDS = 0.02

Sockets = tuple[Sequence[socket.socket], Sequence[socket.socket]]


class Front:
    """sockets: those for browsers, and those that only lead to HTTPS."""

    def __init__(self, loop: Loop, folder: Path, named: str, sockets: Sockets) -> None:
        """NginxMissing, OSError. named: server-http-nginx."""
        self._loop, self._sockets = loop, sockets
        self._program = nginx_program.find(named, os.environ)
        self._folder = Folder(folder)
        self._folder.clear()
        descriptors = [each.fileno() for kind in sockets for each in kind]
        self.nginx = Nginx(loop, self._program.path, descriptors, dict(os.environ))
        self._used: tuple[Certificate, ...] = ()

    @property
    def version(self) -> str:
        """Of nginx."""
        return ".".join(map(str, self._program.version))

    def configure(self, options: dict[str, Any], materials: Sequence[dict[str, Any]]) -> str:
        """Write and test the configuration; a complaint when it does not do, and nothing has changed then."""
        try:
            certificates = self._folder.certificates(materials)
            wanted = settings_of(
                options, self._program, tuple(map(addresses, self._sockets)), self._folder.path, certificates
            )
            complaint = self.nginx.test(self._folder.propose(render(wanted)))
        except (SettingsError, OSError) as error:
            return str(error)
        if complaint:
            return f"nginx does not take the configuration: {complaint}"
        self._folder.accept()
        # nginx may be reading the former ones just now.
        self._folder.forget_certificates((*certificates, *self._used))
        self._used = certificates
        return ""

    def start(self, serving: Callable[[], None], failed: Callable[[str], None]) -> None:
        """Start nginx; serving() when it serves, failed(reason) when it ends or never does."""
        self.nginx.start(self._folder.configuration, lambda how: failed(f"nginx ended ({how})"))
        self._look_for_start(serving, failed, _SERVING_SECONDS)

    def _look_for_start(self, serving: Callable[[], None], failed: Callable[[str], None], seconds: float) -> None:
        if not self.nginx.running:
            return
        if self._folder.pid_file.exists():
            serving()
        elif seconds > 0:
            self._loop.call_later(_LOOK_SECONDS, lambda: self._look_for_start(serving, failed, seconds - _LOOK_SECONDS))
        else:
            failed("nginx did not begin to serve")

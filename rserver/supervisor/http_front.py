"""rserver-http seen from the master: its sockets and folders, its life, what it is told."""

import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from rserver.supervisor import installation, listeners
from rserver.supervisor.directories import Owner, make_directory
from rserver.supervisor.places import Places
from rserver.supervisor.service import Account, Declaration, Hooks, Service
from rserver_core.frame import Message
from rserver_core.options.rserver import RSERVER, RserverSettings
from rserver_process.event_loop import Loop


class HttpFront:
    """nginx in front. `worker_socket` is where the worker listens instead of the TCP ports, which nginx gets."""

    def __init__(self, places: Places) -> None:
        """StartRefused."""
        self._places, self._folder = places, places.run_dir / "http"
        self.make()
        self.serving = False
        self._service: Service | None = None

    def make(self) -> None:
        """Make folders and the socket, again when they were removed; StartRefused."""
        make_directory(self._folder, 0o755, Owner(os.geteuid(), os.getegid()))
        make_directory(self._folder / "nginx", 0o700, self._places.worker)
        self.worker_socket = listeners.bind_private(self._folder / "worker.sock", self._places.worker)

    def begin(
        self,
        loop: Loop,
        sockets: tuple[Sequence[socket.socket], Sequence[socket.socket]],
        told: Callable[[], tuple[RserverSettings, list[dict[str, Any]]]],
        answered: Callable[[str], None],
    ) -> Service:
        """The service, started. sockets: for browsers, and those that lead to HTTPS only; told: settings and materials.

        answered("") is called when it serves, answered(reason) when it cannot.
        """
        listeners, redirects = sockets
        argv = [*installation.python(installation.HTTP), f"--listen-fds={len(listeners) + len(redirects)}"]
        argv.append(f"--redirect-fds={len(redirects)}")
        owner = self._places.worker
        account = None if self._places.single_user else Account(owner.uid, owner.gid)
        inherited = (*listeners, *redirects)
        declaration = Declaration("http", argv, installation.environment(), account, inherited, leaves_children=True)
        hooks = Hooks(
            greeting=lambda: {"folder": str(self._folder / "nginx"), **_fields(*told())},
            message=lambda message: self._received(message, answered),
            lost=self._lost,
        )
        self._service = Service(loop, declaration, hooks)
        self._service.start()
        return self._service

    def reload(self, settings: RserverSettings, materials: list[dict[str, Any]]) -> None:
        """The options were read again."""
        if self._service:
            self._service.send({"event": "options", **_fields(settings, materials)})

    def _received(self, message: Message, answered: Callable[[str], None]) -> None:
        if message.get("event") == "serving":
            self.serving = True
            answered("")
        elif message.get("event") == "refused":
            answered(str(message.get("reason")))

    def _lost(self) -> None:
        self.serving = False


def _fields(settings: RserverSettings, materials: list[dict[str, Any]]) -> Message:
    return {"options": RSERVER.to_json(settings), "tls": materials}

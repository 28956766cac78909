"""The workers beside the first one, seen from the master: they carry data, and ask the first for everything else."""

import os
from collections.abc import Callable
from pathlib import Path

from rserver.supervisor import listeners
from rserver.supervisor.directories import Owner
from rserver.supervisor.exit_codes import ExitCode, StartRefused
from rserver.supervisor.places import Places
from rserver.supervisor.service import Declaration, Hooks, Service
from rserver_core.frame import Message
from rserver_process.event_loop import Loop

SOCKET, COUNTS = "workers.sock", "workers.counts"


class MoreWorkers:
    """socket is where the first worker listens for the others; it outlives every one of them."""

    def __init__(self, places: Places, count: int) -> None:
        """count: how many there are beside the first. StartRefused."""
        self._path, self._counts, self._count = places.run_dir / SOCKET, places.run_dir / COUNTS, count
        self._owner = places.worker
        self.make()
        self.services: list[Service] = []

    def make(self) -> None:
        """Make socket and counts, again when they were removed; StartRefused."""
        self.socket = listeners.bind_private(self._path, self._owner)
        _make_counts(self._counts, 1 + self._count, self._owner)

    def place(self, mine: int) -> Message:
        """What the worker with this number, 0 for the first, is told besides."""
        return {"workers": {"counts": str(self._counts), "mine": mine, "count": 1 + self._count}}

    def begin(self, loop: Loop, declaration: Declaration, greeting: Callable[[], Message]) -> list[Service]:
        """Start them. greeting: what the first worker is told."""
        self.services = [
            Service(loop, declaration, self._hooks(number, greeting)) for number in range(1, 1 + self._count)
        ]
        for service in self.services:
            service.start()
        return self.services

    def _hooks(self, number: int, greeting: Callable[[], Message]) -> Hooks:
        return Hooks(
            greeting=lambda: {**greeting(), **self.place(number), "control": str(self._path)},
            # They have nothing to ask of us.
            message=lambda message: None,
        )

    def send(self, message: Message) -> None:
        """Tell all of them."""
        for service in self.services:
            service.send(message)


def _make_counts(path: Path, count: int, owner: Owner) -> None:
    """A file of zeros that workers map and write; nobody else reads it."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, count * 4)
            os.fchown(descriptor, owner.uid, owner.gid)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StartRefused(ExitCode.CONFIGURATION, f"{path} cannot be made: {error.strerror}") from None

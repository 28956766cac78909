"""The workers beside the first one, seen from the master: they carry data, and ask the first for everything else."""

from collections.abc import Callable

from rserver.supervisor import listeners
from rserver.supervisor.places import Places
from rserver.supervisor.service import Declaration, Hooks, Service
from rserver_core.frame import Message
from rserver_process.event_loop import Loop

SOCKET = "workers.sock"


class MoreWorkers:
    """socket is where the first worker listens for the others; it outlives every one of them."""

    def __init__(self, places: Places, count: int) -> None:
        """count: how many there are beside the first. StartRefused."""
        self._path, self._count = places.run_dir / SOCKET, count
        self.socket = listeners.bind_private(self._path, places.worker)
        self.services: list[Service] = []

    def begin(self, loop: Loop, declaration: Declaration, greeting: Callable[[], Message]) -> list[Service]:
        """Start them. greeting: what the first worker is told."""
        hooks = Hooks(
            greeting=lambda: {**greeting(), "control": str(self._path)},
            # They have nothing to ask of us.
            message=lambda message: None,
        )
        self.services = [Service(loop, declaration, hooks) for _ in range(self._count)]
        for service in self.services:
            service.start()
        return self.services

    def send(self, message: Message) -> None:
        """Tell all of them."""
        for service in self.services:
            service.send(message)

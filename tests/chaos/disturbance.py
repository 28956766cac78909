"""What happens to the server and to the homes while sessions are used."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.homes import Home
from tests.chaos.operation import Kind, Operation
from tests.chaos.session_model import SessionModel
from tests.chaos.whole_server import WholeServer

_FULL = frozenset({Kind.DISK_FULL, Kind.NO_INODES, Kind.READ_ONLY})
_KILLED = {
    Kind.WORKER: "worker",
    Kind.LAUNCHER: "launcher",
    Kind.FORKER: "forker",
    Kind.MASTER: "master",
}
_TELLING = {Kind.SUSPEND_ALL: "suspend-all", Kind.FORCE_SUSPEND_ALL: "force-suspend-all"}


@dataclass(slots=True)
class Disturber:
    """Does the bad thing, and undoes it."""

    server: WholeServer
    homes: Sequence[Home]
    sessions: Sequence[SessionModel]

    def home_of(self, operation: Operation) -> Home:
        """Whose file system an operation concerns."""
        return self.homes[operation.subject % len(self.homes)]

    def may_hurt(self, operation: Operation) -> None:
        """Note what the sessions may suffer from, before it is done."""
        for model in self.sessions:
            model.hurt = model.hurt or operation.kind is Kind.REBOOT
            model.told = model.told or operation.kind in {*_TELLING, Kind.REBOOT}

    def disturb(self, operation: Operation) -> None:
        """Do it."""
        source = random.Random(operation.draw)
        kind, server = operation.kind, self.server
        if kind in _KILLED:
            server.kill(_KILLED[kind])
        elif kind in _FULL:
            self._spoil(kind, self.home_of(operation), source)
        elif kind in _TELLING:
            server.administer(_TELLING[kind])
        elif kind is Kind.FREEZE_WORKER:
            server.freeze_worker(source.uniform(0.2, 2.0))
        elif kind is Kind.OFFLINE:
            server.administer("offline")
        elif kind is Kind.RELOAD:
            server.administer("reload")
        else:
            {Kind.GUARD: server.lose_guard, Kind.RESTART_SERVER: server.restart, Kind.REBOOT: server.reboot}[kind]()

    def heal(self, operation: Operation) -> None:
        """As it was before, and everything answers."""
        if operation.kind in _FULL:
            self.home_of(operation).heal()
        elif operation.kind is Kind.OFFLINE:
            self.server.administer("online")
        self.server.wait_until_back()

    def _spoil(self, kind: Kind, home: Home, source: random.Random) -> None:
        match kind:
            case Kind.DISK_FULL:
                home.fill(source.choice([0, 4096, 100_000, 2_000_000]))
            case Kind.NO_INODES:
                home.use_up_inodes(source.choice([0, 1, 3]))
            case _:
                home.make_read_only()

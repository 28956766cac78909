"""Session control with doubles around it."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.sessions.control import (
    SessionControl,
)
from rserver.sessions.machine import Fate, State
from rserver.sessions.probe import NoAnswer
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.table import SessionTable
from rserver_core.launch_wire import SessionRecord
from tests.rserver.doubles import FakeMaster, record

if TYPE_CHECKING:
    from rserver.sessions.quit_call import QuitAnswer
    from rserver.sessions.suspend_call import SuspendAnswer

LIMIT = 60


class Launches:
    """Starts sessions when the test says so."""

    def __init__(self) -> None:
        self.begun: list[StartChoices] = []
        self.open: list[Deferred[SessionRecord]] = []

    async def start(self, session: Session) -> SessionRecord:
        self.begun.append(session.choices)
        self.open.append(Deferred())
        return await self.open[-1]


class House:
    """Session control with its surroundings; `session` is alice's."""

    def __init__(self) -> None:
        self.clock, self.master, self.launches = Clock(), FakeMaster(), Launches()
        self.probes: list[Deferred[None]] = []
        self.ended: list[str] = []
        self.understands = True
        self.quits: list[tuple[str, Deferred[QuitAnswer]]] = []
        self.asked: list[bool] = []
        self.answers: list[Deferred[SuspendAnswer]] = []
        self.table = SessionTable()
        self.control = SessionControl(
            self.clock,
            self.table,
            self.master,
            self.launches,
            self._probe,
            LIMIT,
            lambda s: self.ended.append(s.id),
            self._ask_to_suspend,
            self._ask_to_quit,
        )
        self.session = self.table.one_of_user("alice", 1001)

    def _probe(self, _record: SessionRecord) -> "Deferred[None]":
        self.probes.append(Deferred())
        return self.probes[-1]

    def _ask_to_quit(self, _record: SessionRecord, save: str) -> "Deferred[QuitAnswer]":
        self.quits.append((save, Deferred()))
        if not self.understands:
            self.quits[-1][1].errback(NoAnswer())
        return self.quits[-1][1]

    def _ask_to_suspend(self, _record: SessionRecord, force: bool) -> "Deferred[SuspendAnswer]":
        self.asked.append(force)
        self.answers.append(Deferred())
        if not self.understands:
            self.answers[-1].errback(NoAnswer())
        return self.answers[-1]

    def state(self) -> State:
        return self.session.state

    @property
    def fate(self) -> Fate:
        assert self.session.status.fate
        return self.session.status.fate

    def record(self, pid: int = 100) -> SessionRecord:
        return record(self.session.id, pid=pid)

    def run(self, pid: int = 100, *, proven: bool = True) -> None:
        """Bring the session to RUNNING."""
        self.control.want(self.session)
        self.launches.open.pop().callback(self.record(pid))
        self.probes.pop().callback(None)
        self.session.proven = proven
        assert self.state() is State.RUNNING

    def exit(self, pid: int = 100, code: int | None = 0, signal: int | None = None, tail: str = "") -> None:
        self.control.on_event(
            {
                "event": "exited",
                "session": self.session.id,
                "pid": pid,
                "code": code,
                "signal": signal,
                "stderr_tail": tail,
            }
        )

"""What the launcher knows of sessions: which run, and how those ended of which nobody heard."""

from dataclasses import dataclass, field

from twisted.logger import Logger

from rserver.clock import Clock, sleep
from rserver.master_client import MasterError
from rserver.sessions.machine import Fate, Input
from rserver.sessions.session import Session
from rserver.sessions.starter import Master
from rserver.sessions.verdict import unseen_end, verdict
from rserver_core.frame import Message

LIST_RETRY_SECONDS = 1.0

_log = Logger()


@dataclass(slots=True)
class RollCall:
    """Asked after one of us was away."""

    clock: Clock
    master: Master
    _ends: dict[str, Message] = field(default_factory=dict)

    async def take(self) -> list[Message]:
        """Records of the sessions that run; asks until there is an answer. MasterError when the master is gone."""
        while True:
            try:
                answer = await self.master.request("list")
            except MasterError as error:
                if error.code == "closed":
                    raise
                _log.warn("list: {error}", error=str(error))
                await sleep(self.clock, LIST_RETRY_SECONDS)
            else:
                self._ends = {str(end.get("session")): end for end in _dicts(answer.get("exited"))}
                return _dicts(answer.get("sessions"))

    def loss(self, session: Session) -> tuple[Input, Fate]:
        """What it means that nobody told the end of its process."""
        end = self.end_of(session)
        return unseen_end(session, Input.LOST) if end is None else verdict(session, end)

    def end_of(self, session: Session) -> Message | None:
        """How its process ended, which it had got to work, if the launcher knows."""
        end, record = self._ends.get(session.id), session.status.record
        if end is None or (record is not None and end.get("pid") != record.pid):
            return None
        session.proven = True
        return end


def _dicts(value: object) -> list[Message]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

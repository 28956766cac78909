"""What is known of one session: what was confirmed, what may have happened to its process, what was done to it."""

from collections import deque
from dataclasses import dataclass, field

from tests.chaos.console_record import ConsoleRecord
from tests.chaos.versions import Versions

State = dict[str, str]
_LOG_LINES = 60


@dataclass(slots=True)
class DocumentModel:
    """A document of the editor: its text, and what its file may hold."""

    text: Versions[str]
    path: str | None = None
    file: Versions[str] | None = None


@dataclass(slots=True)
class SessionModel:
    """One of the sessions of a run.

    stream: names the process that was seen last; hurt: something was done to its process that may end it without a
    snapshot; told: something was done that may make it suspend; ended: its user ended it; unwatched:
    the process whose keeper was killed, so that nobody sees how it ends; empty: its
    state when it is new.
    """

    number: int
    user: int
    id: str
    path: str
    empty: State
    objects: Versions[State]
    console: ConsoleRecord = field(default_factory=ConsoleRecord)
    documents: dict[str, DocumentModel] = field(default_factory=dict)
    stream: str = ""
    pid: int = 0
    hurt: bool = False
    told: bool = False
    lately_told: bool = False
    ended: bool = False
    unwatched: int = 0
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))

    def note(self, text: str) -> None:
        """For who looks into a failed run."""
        self.log.append(text)

    @property
    def may_be_replaced(self) -> bool:
        """Another process is no surprise."""
        return self.hurt or self.told or self.lately_told or self.ended

    def settle(self) -> None:
        """Its process was seen: what was done before is over."""
        # A signal may be heeded a moment later than everything was looked at.
        self.lately_told = self.told
        self.hurt = self.told = self.ended = False

"""One session of the table: what is known of it, and who waits for it."""

from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rserver.sessions import causes, remembered
from rserver.sessions.machine import ALIVE, STARTING, Fate, Input, State, Status
from rserver.store.rows import SessionRow
from rserver.web.request import Target
from rserver_core.launch_wire import SessionRecord
from rserver_core.project_path import project_name
from rserver_core.session_id import NO_PROJECT

REMOTE = "remote"
QUICK_SECONDS = 30.0
"""Whoever fails earlier than that may fail because of what was restored."""

_log = Logger()


@dataclass(frozen=True, slots=True)
class StartChoices:
    """What the failure page offers.

    run_rprofile, restore  run .Rprofile, restore the workspace
    make_project  make a project file where there is none
    in_project    open the project of the session, if it has one; else it has none any more
    """

    run_rprofile: bool = True
    restore: bool = True
    make_project: bool = False
    in_project: bool = True


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of a process that nobody wanted: seconds since 1970 (None: nobody saw it), a sentence."""

    at: float | None
    cause: str


@dataclass(slots=True, eq=False)
class Session:
    """Metadata, status and waiters of one session.

    project  folder of the project that it is opened in; empty: none
    attempt  counts launches, so that what belongs to an older one is recognised
    proven   a user's request was answered: an end with code 0 is a wanted one from now on
    had_process  when the worker ended there was one, and it was not seen since
    leftovers    ids of sessions whose folders its process removes
    crash        how the process before ended, when it failed or the machine did
    stored       when its objects were last written, seconds since 1970; 0: nothing is stored; None: not known
    quick_failures  how many processes in a row failed soon after their start
    end_asked    signal by which its user wants its process to end
    end_cause    why the server itself ends its process, a sentence
    withdrawn    who took its project away while it did not run, a sentence
    is_blocked   it runs because something stood against suspending it, which its status names
    again_asked  somebody wants it back as soon as it is suspended
    kept         the process that said that its objects are on the disk and that it ends
    connections  requests and WebSockets that are carried to it now
    r_version    version of the R that it runs, or ran; r_key: exactly which one, as an RWish
    r_wish       which R its user chose for it, as an RWish; empty: the rules choose
    r_note       why it runs another R than the wanted one, a sentence
    """

    id: str
    user: str
    uid: int
    label: str = ""
    project: str = ""
    r_version: str = ""
    created: float = 0.0
    last_used: float = 0.0
    r_wish: str = ""
    r_key: str = ""
    door: str = ""
    r_note: str = ""
    status: Status = field(default_factory=Status)
    choices: StartChoices = field(default_factory=StartChoices)
    server_url: str = ""
    attempt: int = 0
    proven: bool = False
    had_process: bool = False
    leftovers: tuple[str, ...] = ()
    crash: Crash | None = None
    stored: float | None = None
    quick_failures: int = 0
    end_asked: str = ""
    end_cause: str = ""
    withdrawn: str = ""
    again_asked: bool = False
    is_blocked: bool = False
    kept: SessionRecord | None = None
    connections: int = 0
    target: Target | None = None
    _waiting: "list[Deferred[Status]]" = field(default_factory=list)

    @classmethod
    def from_row(cls, row: SessionRow, life: str) -> "Session":
        """As the store knows it."""
        made = cls(row.id, row.user, row.uid, row.label, row.project, row.r_version, row.created, row.last_used)
        made.r_wish, made.r_key, made.door = row.r_wish, row.r_key, row.door
        kept = remembered.decode(row.status, life)
        made.status, made.had_process = kept.status, kept.had_process
        made.quick_failures, made.stored = kept.quick_failures, kept.stored
        return made

    def to_row(self, life: str) -> SessionRow:
        """For the store."""
        named = (self.id, self.user, self.uid, self.label, self.project, self.r_version)
        status = remembered.encode(self.status, life, self.quick_failures, self.stored)
        return SessionRow(*named, self.created, self.last_used, status, self.r_wish, self.r_key, self.door)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or project_name(self.project) or f"R session {self.id[-8:-4]}"

    @property
    def project_id(self) -> str:
        """The 8 digits that stand for its project. Its address keeps those of a project that it has left."""
        return self.id[5:13] if self.project else NO_PROJECT

    @property
    def is_alive(self) -> bool:
        """There is a process, or will be one in a moment."""
        return self.state in ALIVE

    @property
    def state(self) -> State:
        """Where it is."""
        return self.status.state

    def move(self, happened: Input, record: SessionRecord | None = None, fate: Fate | None = None) -> bool:
        """Apply an input; wakes who waits when the launch is settled. False when it means nothing now."""
        before, self.status = self.status, self.status.after(happened, record, fate)
        if self.status is before:
            return False
        self.had_process = False
        self._log_change(before.state, happened)
        self._set_target()
        if self.state not in STARTING:
            self._wake()
        return True

    def note_end(self, now: float, started: float, happened: Input) -> None:
        """Its process, started at that time (both in seconds since 1970; 0: not known), has ended."""
        if happened is Input.SUSPENDED_EXIT:
            self.stored = now
        elif happened is Input.CLEAN_EXIT:
            self.stored = 0.0
        is_quick_failure = self.state is State.FAILED and now - started < QUICK_SECONDS
        self.quick_failures = self.quick_failures + 1 if is_quick_failure else 0

    def note_checkpoint(self, told: object) -> None:
        """When the objects were written that come back, as the keeper of the process that ended tells; 0: never."""
        if isinstance(told, (int, float)) and not isinstance(told, bool) and told >= 0:
            self.stored = float(told)

    def note_launch(self) -> None:
        """It is about to be launched as it was chosen: what was its last end?"""
        if not self.choices.in_project:
            self.project = ""
        if not self.choices.restore:
            self.stored = 0.0
        fate = self.status.fate
        if self.state is State.FAILED and fate is not None:
            self.crash = Crash(self.last_used, fate.cause)
        else:
            self.crash = Crash(None, causes.CUT_OFF) if causes.was_cut_off(self.status) else None

    def when_settled(self) -> "Deferred[Status]":
        """Fires with the status as soon as the session is not being launched; at once when it is not."""
        if self.state not in STARTING:
            return succeed(self.status)
        waiting: Deferred[Status] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(self.status)

    def _set_target(self) -> None:
        record = self.status.record
        if self.state not in {State.RUNNING, State.SUSPENDING} or record is None:
            self.target = None
        elif self.target is None:
            self.target = Target(record.socket, record.uid, (("X-RS-User", self.user),))

    def _log_change(self, before: State, happened: Input) -> None:
        record, fate = self.status.record, self.status.fate
        _log.info(
            "session {id} of {user}: {before} -> {state} ({happened}){pid}{cause}",
            id=self.id,
            user=self.user,
            before=before.value,
            state=self.state.value,
            happened=happened.value,
            pid=f" pid {record.pid}" if record else "",
            cause=f": {fate.cause}" if fate else "",
        )

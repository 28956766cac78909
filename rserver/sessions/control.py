"""Drives the sessions' machines: launches once, listens to the master's events, sets right what was missed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from rserver.clock import Clock, limit, shared, sleep
from rserver.master_client import MasterError
from rserver.sessions import causes
from rserver.sessions.machine import Fate, Input, State
from rserver.sessions.roll_call import RollCall
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.starter import Master, NotStarted, Starts
from rserver.sessions.table import SessionTable
from rserver.sessions.verdict import verdict
from rserver_core.frame import Message
from rserver_core.launch_wire import BadRequest, SessionRecord

if TYPE_CHECKING:
    from rserver.sessions.quit_call import QuitAnswer
    from rserver.sessions.suspend_call import SuspendAnswer

KILL_SECONDS = 10.0
LOSS_GRACE_SECONDS = 0.5
END_GRACE_SECONDS = 0.5
CLEAN_UP_SECONDS = 120.0
PROBE_AGAIN_SECONDS = 0.25
SUSPEND_ANSWER_SECONDS = 1.0
QUIT_ANSWER_SECONDS = 3.0
SUSPEND_SECONDS = 30.0
FORCED_SUSPEND_SECONDS = 600.0

_log = Logger()


Probe = Callable[[SessionRecord], "Deferred[None]"]
AskToQuit = Callable[[SessionRecord, str], "Deferred[QuitAnswer]"]
AskToSuspend = Callable[[SessionRecord, bool], "Deferred[SuspendAnswer]"]


@dataclass(slots=True)
class SessionControl:
    """probe fires when a process answers, ask_to_suspend and ask_to_quit when it has done so or says why not.

    on_end is told of sessions whose process is gone, on_answer of those that came up, on_change of any change.
    """

    clock: Clock
    table: SessionTable
    master: Master
    starter: Starts
    probe: Probe
    launch_limit: int
    on_end: Callable[[Session], object]
    ask_to_suspend: AskToSuspend
    ask_to_quit: AskToQuit
    on_change: Callable[[], object] = lambda: None
    on_answer: Callable[[Session, SessionRecord], object] = lambda session, record: None
    _gone: "dict[int, Deferred[None]]" = field(default_factory=dict)
    _listing: bool = False
    _list_again: bool = False
    _roll_call: RollCall = field(init=False)

    def __post_init__(self) -> None:
        self._roll_call = RollCall(self.clock, self.master)

    def want(self, session: Session, server_url: str = "") -> None:
        """Somebody wants to use it: starts what is absent or suspended, leaves what failed or ended alone."""
        if session.state in {State.ABSENT, State.SUSPENDED}:
            session.server_url = server_url or session.server_url
            session.choices = StartChoices()
            self._launch(session, Input.WANT)

    def resume(self, session: Session, choices: StartChoices, server_url: str = "") -> bool:
        """Its user wants it started again; a process that never answered is killed first. False: it runs already."""
        if session.state is State.SUSPENDING:
            session.again_asked = True
        if session.is_alive:
            return False
        session.server_url = server_url or session.server_url
        session.choices = choices
        self._launch(session, Input.RESUME)
        return True

    async def suspend(self, session: Session, *, force: bool) -> None:
        """Tell it to write its objects down and end; force: also when it is busy. MasterError when it cannot be told.

        Nothing happens unless it runs. Without force it may stay: it runs on then, and its status says so.
        """
        record = session.status.record
        if record is None or session.state not in {State.RUNNING, State.SUSPENDING}:
            return
        session.again_asked = session.is_blocked = False
        if session.state is State.SUSPENDING and not force:
            return
        self._move(session, Input.SUSPEND)
        told = Deferred.fromCoroutine(self._tell_to_suspend(session, record, force))
        try:
            # What stands against it is known at once; writing may take long, and nobody waits for that.
            await limit(shared(told), SUSPEND_ANSWER_SECONDS, self.clock, TimeoutError())
        except TimeoutError:
            told.addErrback(_not_signalled, session)

    async def _tell_to_suspend(self, session: Session, record: SessionRecord, force: bool) -> None:
        try:
            answer = await self.ask_to_suspend(record, force)
        except (OSError, CancelledError):
            await self._signal_to_suspend(session, record, force)
            return
        if answer.suspended:
            session.kept = record
        else:
            session.is_blocked = answer.blocked
            self._stayed(session, record, causes.of_blockers(answer.reasons))

    async def _signal_to_suspend(self, session: Session, record: SessionRecord, force: bool) -> None:
        seconds = FORCED_SUSPEND_SECONDS if force else SUSPEND_SECONDS
        self.clock.callLater(seconds, self._stayed, session, record, causes.of_staying(seconds))
        if session.status.record is not record:
            return
        try:
            await self.signal(session, "USR2" if force else "USR1")
        except MasterError:
            self._stayed(session, record, None)
            raise

    def freed(self, session: Session) -> None:
        """What stood against suspending it is gone."""
        if session.is_blocked and session.status.fate is not None:
            self._move(session, Input.FREED)
            session.is_blocked = False

    async def kill(self, session: Session) -> None:
        """End its process at once, or put it away when it has none; MasterError."""
        await self._end_by(session, "KILL")

    async def quit(self, session: Session, save: str = "default") -> "QuitAnswer | None":
        """Quit R, or put away what has no process; MasterError. Its answer, when it comes soon and says no.

        save: whether to write .RData: yes, no, or default: as its user has set it, which may be to be asked.
        """
        record = session.status.record
        if record is None or session.state not in {State.RUNNING, State.SUSPENDING}:
            await self._end_by(session, "TERM")
            return None
        session.end_asked = "QUIT"
        told = Deferred.fromCoroutine(self._tell_to_quit(session, record, save))
        try:
            return await limit(shared(told), QUIT_ANSWER_SECONDS, self.clock, TimeoutError())
        except TimeoutError:
            told.addErrback(_not_signalled, session)
            return None

    async def _tell_to_quit(self, session: Session, record: SessionRecord, save: str) -> "QuitAnswer | None":
        try:
            answer = await self.ask_to_quit(record, save)
        except (OSError, CancelledError):
            try:
                if session.status.record is record:
                    await self._end_by(session, "TERM")
            except MasterError as error:
                # The answer was lost because the process ended at once.
                if error.code != "unknown_session":
                    raise
            return None
        if answer.ended:
            return None
        if session.status.record is record:
            session.end_asked = ""
        return answer

    async def evict(self, session: Session, cause: str) -> None:
        """End its process at once, which nobody asked for, for that reason: a sentence; MasterError."""
        if session.is_alive:
            session.end_cause = cause
            await self._end_by(session, "KILL")

    async def _end_by(self, session: Session, name: str) -> None:
        if self._move(session, Input.PUT_AWAY, fate=causes.of_wish()):
            self.table.used(session)
            self.table.leftovers.add((session.user, session.uid), session.id)
        elif session.status.record is not None:
            session.end_asked = name
            await self._signal_end(session, name)
        elif session.is_alive:
            # It is told as soon as it has a process.
            session.end_asked = name

    async def _signal_end(self, session: Session, name: str) -> None:
        try:
            await self.signal(session, name)
        except MasterError as error:
            if error.code != "unknown_session":
                raise
            # It ended a moment ago, which is what is wanted.
            self.reconcile()

    def signal(self, session: Session, name: str) -> "Deferred[Message]":
        """Send the process a signal; fails with MasterError."""
        return self.master.request("signal", session=session.id, signal=name)

    def on_event(self, event: Message) -> None:
        """An event of the master about sessions."""
        match event.get("event"):
            case "started":
                self._found(event.get("session"), Input.STARTED)
            case "exited":
                self._exited(event)
            case "launcher_restarted":
                self.reconcile()

    def reconcile(self) -> None:
        """Ask what runs, until there is an answer, and set the table right. One question at a time."""
        if self._listing:
            self._list_again = True
        else:
            self._listing = True
            Deferred.fromCoroutine(self.restore())

    async def restore(self) -> None:
        """As reconcile; done when the table is right."""
        self._listing = True
        try:
            await self._compare_until_right()
            self._lose_missing()
            self._explain_cut_off()
        except MasterError as error:
            _log.warn("list: {error}", error=str(error))
        finally:
            self._listing = False

    # Launching

    def _launch(self, session: Session, why: Input) -> None:
        old = session.status.record
        session.proven = session.again_asked = False
        session.end_asked = session.end_cause = ""
        session.note_launch()
        account = session.user, session.uid
        self.table.leftovers.drop(account, [session.id])
        session.leftovers = self.table.leftovers.of(account)
        self._move(session, why)
        self.table.used(session)
        self._begin_attempt(session)
        Deferred.fromCoroutine(self._start(session, session.attempt, old)).addErrback(_unexpected, session)

    def _stayed(self, session: Session, record: SessionRecord, fate: Fate | None) -> None:
        if session.state is State.SUSPENDING and session.status.record is record:
            self._move(session, Input.STAYED, fate=fate)

    def _begin_attempt(self, session: Session) -> None:
        session.attempt += 1
        self.clock.callLater(self.launch_limit, self._gave_up, session, session.attempt)

    async def _start(self, session: Session, attempt: int, old: SessionRecord | None) -> None:
        if old is not None:
            await self._kill(session, old)
        try:
            record = await self.starter.start(session)
        except NotStarted as error:
            if session.attempt == attempt:
                self._move(session, Input.REFUSED, fate=error.fate)
            return
        if session.attempt == attempt:
            self._has_process(session, record, Input.STARTED)

    async def _kill(self, session: Session, record: SessionRecord) -> None:
        gone = self._gone.setdefault(record.pid, Deferred())
        try:
            await self.signal(session, "KILL")
            await limit(gone, KILL_SECONDS, self.clock, TimeoutError())
        except (MasterError, TimeoutError):
            self._gone.pop(record.pid, None)

    def _has_process(self, session: Session, record: SessionRecord, why: Input) -> None:
        known = session.status.record
        if known is not None and known.pid == record.pid:
            return
        if record.uid != session.uid:
            self._move(session, Input.REFUSED, fate=Fate("The account has another uid than the session."))
            self.signal(session, "KILL").addErrback(_not_signalled, session)
            return
        if self._move(session, why, record):
            if session.end_asked:
                self.signal(session, session.end_asked).addErrback(_not_signalled, session)
            Deferred.fromCoroutine(self._await_answer(session, record)).addErrback(_unexpected, session)

    async def _await_answer(self, session: Session, record: SessionRecord) -> None:
        while session.status.record is record:
            try:
                await self.probe(record)
            except (OSError, CancelledError):
                # Its end is told by the launcher; until then it may still come up.
                await sleep(self.clock, PROBE_AGAIN_SECONDS)
                continue
            if session.status.record is record:
                self._move(session, Input.ANSWERED)
                self.clock.callLater(CLEAN_UP_SECONDS, self._cleaned_up, session, record)
                self.on_answer(session, record)
            return

    def _cleaned_up(self, session: Session, record: SessionRecord) -> None:
        if session.status.record is record:
            self.table.leftovers.drop((session.user, session.uid), session.leftovers)

    def _gave_up(self, session: Session, attempt: int) -> None:
        if session.attempt == attempt:
            self._move(session, Input.GAVE_UP, fate=causes.of_silence(self.launch_limit))

    # What the master tells

    def _found(self, value: object, why: Input) -> None:
        try:
            record = SessionRecord.from_json(value)
        except BadRequest as error:
            _log.error("the master sent a bad record: {error}", error=str(error))
            return
        session = self.table.adopt(record)
        if session.status.record is not None and session.status.record.pid != record.pid:
            self._ended(session, *self._roll_call.loss(session))
        if not session.is_alive:
            session.proven = True
            self._begin_attempt(session)
        self._has_process(session, record, why)

    def _exited(self, event: Message) -> None:
        session, pid = self.table.get(str(event.get("session"))), event.get("pid")
        gone = self._gone.pop(pid, None) if isinstance(pid, int) else None
        if session is not None and session.status.record is not None and session.status.record.pid == pid:
            happened, fate = verdict(session, event)
            session.note_checkpoint(event.get("checkpoint"))
            if fate.code == causes.RESTARTED_CODE and happened is Input.SUSPENDED_EXIT:
                session.again_asked, session.choices = True, replace(session.choices, restore=True)
            self._ended(session, happened, fate)
        if gone is not None:
            gone.callback(None)

    def _ended(self, session: Session, happened: Input, fate: Fate) -> None:
        record = session.status.record
        self._move(session, happened, fate=fate)
        self.table.used(session)
        session.note_end(session.last_used, record.started if record is not None else 0.0, happened)
        # Requests under way are answered meanwhile: the kernel has closed what the process had open.
        self.clock.callLater(END_GRACE_SECONDS, self._cut_off, session, session.attempt)
        if session.again_asked and session.state is State.SUSPENDED:
            self.resume(session, session.choices)

    def _move(
        self, session: Session, happened: Input, record: SessionRecord | None = None, fate: Fate | None = None
    ) -> bool:
        moved = session.move(happened, record, fate)
        if moved:
            self.table.changed(session)
            self.on_change()
        return moved

    def _cut_off(self, session: Session, attempt: int) -> None:
        if session.attempt == attempt:
            self.on_end(session)

    # What was missed

    async def _compare_until_right(self) -> None:
        self._list_again = True
        while self._list_again:
            self._list_again = False
            known = {session.id: session.status.record for session in self.table if session.status.record}
            self._compare(known, await self._roll_call.take())

    def _compare(self, known: dict[str, SessionRecord], listed: list[Message]) -> None:
        for value in listed:
            self._found(value, Input.FOUND)
        alive = {value.get("session") for value in listed}
        for session_id, record in known.items():
            if session_id not in alive:
                # Its end may have been written down and be told in a moment.
                self.clock.callLater(LOSS_GRACE_SECONDS, self._lost, session_id, record)

    def _lose_missing(self) -> None:
        for session in self.table:
            if session.had_process:
                self._ended(session, *self._roll_call.loss(session))

    def _explain_cut_off(self) -> None:
        """Those that ended on their own while the whole server was away wrote down how."""
        for session in self.table:
            if causes.was_cut_off(session.status) and (end := self._roll_call.end_of(session)) is not None:
                session.note_checkpoint(end.get("checkpoint"))
                self._ended(session, *verdict(session, end))

    def _lost(self, session_id: str, record: SessionRecord) -> None:
        session = self.table.get(session_id)
        if session is not None and session.status.record is record:
            self._ended(session, *self._roll_call.loss(session))


def _unexpected(failure: object, session: Session) -> None:
    _log.error("session {id}: {why}", id=session.id, why=str(getattr(failure, "value", failure)))
    session.move(Input.REFUSED, fate=Fate("The server failed to start the session: see its log."))


def _not_signalled(failure: object, session: Session) -> None:
    _log.warn("session {id} not signalled: {why}", id=session.id, why=str(getattr(failure, "value", failure)))

"""What its user may do with a session, and how many sessions one user may have."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rserver.clock import sleep
from rserver.profiles import UserProfiles
from rserver.sessions.control import SessionControl
from rserver.sessions.homes import Homes
from rserver.sessions.label import BadLabel, checked_label
from rserver.sessions.machine import STARTING, State
from rserver.sessions.projects import ProjectTable
from rserver.sessions.r_chooser import Offer, RChooser
from rserver.sessions.session import REMOTE, Session, StartChoices
from rserver.sessions.table import SessionTable
from rserver.settings import WorkerSettings
from rserver.store.rows import ProjectRow
from rserver.worker_threads import ThreadsBusy
from rserver_core.project_path import BadPath
from rserver_core.r_choice import choose, is_met
from rserver_core.r_installation import NoR
from rserver_core.r_version import BadWish, RWish, titles
from rserver_core.session_id import NO_PROJECT

SAVES = ("yes", "no", "default")
NOT_ACCEPTABLE, SESSION_LIMIT, STILL_RUNS = 10, 20, 22
# Not an option: what keeps one user from filling the store.
MOST_SESSIONS = 1000
LEAVE_SECONDS = 20.0
LEAVE_LOOK_SECONDS = 0.1


class Refused(Exception):
    """The server does not do that; code as in the table of error codes, the text is a sentence for the user."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Leaving:
    """What happens to the session that another one takes the place of: it is suspended, or it is quit.

    save: whether it writes .RData then: yes, no, or default: as its user has set it.
    """

    session: str = ""
    quits: bool = False
    save: str = "default"


@dataclass(frozen=True, slots=True)
class NewSession:
    """What somebody wants to be in a new session.

    project  path of the folder; empty: none; None: not said
    reuse    when there is a session of that project, open that one
    leave    the session that it takes the place of
    """

    label: str = ""
    r_version: str = ""
    project: str | None = None
    choices: StartChoices = field(default_factory=StartChoices)
    reuse: bool = False
    leave: Leaving = field(default_factory=Leaving)


@dataclass(slots=True)
class UserActions:
    """settings: server-multiple-sessions and session-limit; replaced when the options are read again."""

    control: SessionControl
    chooser: RChooser
    settings: WorkerSettings
    profiles: UserProfiles
    projects: ProjectTable
    homes: Homes

    @property
    def table(self) -> SessionTable:
        """All sessions."""
        return self.control.table

    @property
    def multiple(self) -> bool:
        """A user may have several sessions."""
        return self.settings.server_multiple_sessions

    async def limit_of(self, user: str) -> int:
        """How many sessions this user may have."""
        said = (await self.profiles.of(user)).session_limit
        return (self.settings.session_limit if said is None else said) or MOST_SESSIONS

    def has_list(self, user: str, uid: int) -> bool:
        """There is a choice of sessions; where only one is allowed, of those from before and of other projects."""
        return self.multiple or len(self.table.open_of_user(user, uid)) > 1

    def front(self, user: str, uid: int, server_url: str) -> Session | None:
        """The session that somebody who comes in wants, made when there is none; None when there are several."""
        if self.multiple and len(self.table.open_of_user(user, uid)) > 1:
            return None
        session = self._one(user, uid)
        if session.state is State.ENDED:
            # Whoever comes back after q() wants R again; only its own page tells that it ended.
            self.control.resume(session, StartChoices(), server_url)
        else:
            # Its page, to which who comes in is sent now, would want it a moment later.
            self.control.want(session, server_url)
        return session

    async def create(self, user: str, uid: int, wanted: NewSession, server_url: str) -> Session:
        """A new session, started; where a user has only one, that one, in the wanted project. Refused."""
        label = _label(wanted.label)
        wanted = replace(wanted, r_version=await self.checked_wish(user, uid, wanted.r_version))
        if not self.multiple and wanted.project is None:
            session = self._one(user, uid)
            self.control.want(session, server_url)
            return session
        project = await self._project(user, uid, wanted.project or "")
        known = self._known(user, uid, project, wanted)
        leaving = self._leaving(user, uid, known, wanted)
        counts = known is None and self.multiple
        if counts:
            await self._check_limit(user, uid, leaving if wanted.leave.quits else ())
        for old in leaving:
            await self._leave(old, wanted.leave)
        if counts and leaving:
            await self._check_limit(user, uid)
        session = known or self._made(user, uid, project, label, wanted)
        self.control.resume(session, wanted.choices, server_url)
        self.table.used(session)
        return session

    async def create_for_programs(self, user: str, uid: int, label: str, server_url: str) -> Session:
        """A new session that programs use, started; also where a user has only one in the browser. Refused."""
        label = _label(label)
        await self._check_limit(user, uid)
        session = self.table.create(user, uid)
        session.label, session.door = label, REMOTE
        self.control.resume(session, StartChoices(), server_url)
        return session

    def _one(self, user: str, uid: int) -> Session:
        """The one that this account works in: one that runs before one that does not, and that before an ended one."""
        own = [session for session in self.table.open_of_user(user, uid) if not session.door]
        running = [session for session in own if session.is_alive]
        return next(iter(running or own), None) or self.table.one_of_user(user, uid)

    def _made(self, user: str, uid: int, project: ProjectRow | None, label: str, wanted: NewSession) -> Session:
        place = (project.id, project.path) if project else (NO_PROJECT, "")
        session = self.table.create(user, uid, *place)
        session.label, session.r_wish = label, wanted.r_version
        return session

    async def resume(self, session: Session, choices: StartChoices, server_url: str) -> None:
        """Start it again, as it was; nothing when it runs. Refused."""
        if session.state is State.ENDED and self.multiple:
            await self._check_limit(session.user, session.uid)
        self.control.resume(session, choices, server_url)

    async def suspend(self, session: Session, *, force: bool) -> None:
        """Suspend it; nothing when it is suspended. Refused when it does not run, MasterError."""
        if session.state in STARTING:
            raise Refused(STILL_RUNS, "The session is just starting: there is nothing to suspend yet.")
        if session.state in {State.ABSENT, State.FAILED, State.ENDED}:
            raise Refused(STILL_RUNS, "The session does not run: there is nothing to suspend.")
        await self.control.suspend(session, force=force)

    async def quit(self, session: Session, save: str) -> str:
        """End it; the path of .RData when its user is to be asked first whether to save there. Refused, MasterError.

        save: yes, no, or default: as its user has set it.
        """
        if save not in SAVES:
            raise Refused(NOT_ACCEPTABLE, f"save must be one of {', '.join(SAVES)}.")
        answer = await self.control.quit(session, save)
        if answer is not None and answer.reason:
            raise Refused(STILL_RUNS, answer.reason)
        return answer.image if answer is not None else ""

    def rename(self, session: Session, label: str) -> None:
        """Give it another label, or none; Refused."""
        session.label = _label(label)
        self.table.changed(session)

    def forget(self, session: Session) -> None:
        """Strike it off the list; Refused when there is a process."""
        if session.is_alive or session.status.record is not None:
            raise Refused(STILL_RUNS, "The session still runs. Quit it first.")
        self.table.forget(session)

    async def _project(self, user: str, uid: int, path: str) -> ProjectRow | None:
        if path in {"", NO_PROJECT}:
            return None
        try:
            return self.projects.of_folder(user, uid, await self.homes.folder(user, path))
        except BadPath as error:
            raise Refused(NOT_ACCEPTABLE, str(error)) from None

    def _known(self, user: str, uid: int, project: ProjectRow | None, wanted: NewSession) -> Session | None:
        """The session of that project to open instead of a new one."""
        if not (wanted.reuse or not self.multiple):
            return None
        there = self.table.of_project(user, uid, project.id if project else NO_PROJECT)
        if project is not None and project.real not in {"", project.path}:
            # A link may lead elsewhere by now: what is there was opened by the same one, or is not meant.
            there = [session for session in there if session.project == project.path]
        open_ones = [session for session in there if session.state is not State.ENDED]
        return next(iter(open_ones if self.multiple else there), None)

    def _leaving(self, user: str, uid: int, opened: Session | None, wanted: NewSession) -> list[Session]:
        """Those that must make room: the one that was named, and all others where a user has only one."""
        named = self.table.find(wanted.leave.session, user, uid)
        others = [named] if named else []
        if not self.multiple:
            others = [session for session in self.table.of_user(user, uid) if session.is_alive]
        return [session for session in others if session is not opened]

    async def _leave(self, session: Session, how: Leaving) -> None:
        """Suspend or end a session and wait until its process is gone; Refused when it stays, MasterError."""
        await session.when_settled()
        if how.quits:
            await self._quit_to_leave(session, how.save)
        else:
            await self.control.suspend(session, force=False)
        end = self.control.clock.seconds() + LEAVE_SECONDS
        while session.is_alive:
            stays = session.state is State.RUNNING and not how.quits
            if stays or self.control.clock.seconds() >= end:
                cause = session.status.fate.cause if session.status.fate else "It has not ended yet."
                raise Refused(STILL_RUNS, f"The session that you are in goes on. {cause}")
            await sleep(self.control.clock, LEAVE_LOOK_SECONDS)

    async def _quit_to_leave(self, session: Session, save: str) -> None:
        image = await self.quit(session, save)
        if image:
            message = f"Before it is quit: shall its objects be saved to {image}, or not?"
            raise Refused(STILL_RUNS, f"The session that you are in goes on. {message}")

    async def _check_limit(self, user: str, uid: int, leaving: Sequence[Session] = ()) -> None:
        limit = await self.limit_of(user)
        count = len(self.table.open_of_user(user, uid)) - len(leaving)
        if count >= limit:
            have = "1 session" if count == 1 else f"{count} sessions"
            section = self.profiles.section_of(user, "session_limit")
            whose = f"the profile [{section}] of this server allows you" if section else "this server allows"
            raise Refused(SESSION_LIMIT, f"You have {have}, and {whose} {limit}. Quit one that you do not need.")

    async def choose_r(self, session: Session, r_version: str) -> None:
        """Which R it runs from its next start on; empty: the rules choose anew. Refused."""
        session.r_wish = await self.checked_wish(session.user, session.uid, r_version)
        if not session.r_wish:
            session.r_key = ""
        self.table.changed(session)

    async def checked_wish(self, user: str, uid: int, r_version: str) -> str:
        """What exactly is meant by the name of an R that this user may choose; empty for none. Refused."""
        if not r_version:
            return ""
        try:
            wish, offer = RWish.parse(r_version), await self.chooser.offer(user, uid)
        except (BadWish, NoR, ThreadsBusy) as error:
            raise Refused(NOT_ACCEPTABLE, f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        found = choose(wish, offer.versions)
        if found is None or not is_met(wish, found):
            raise Refused(NOT_ACCEPTABLE, _not_installed(wish, offer))
        return str(found.wish)


def _not_installed(wish: RWish, offer: Offer) -> str:
    shown = ", ".join(titles(offer.versions).values())
    return f"{wish.title[:1].upper()}{wish.title[1:100]} is not installed here, or not for you. There is {shown}."


def _label(text: str) -> str:
    try:
        return checked_label(text)
    except BadLabel as error:
        raise Refused(NOT_ACCEPTABLE, str(error)) from None

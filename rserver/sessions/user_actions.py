"""What its user may do with a session, and how many sessions one user may have."""

from dataclasses import dataclass, field

from rserver.profiles import UserProfiles
from rserver.r_installations import RInstallations
from rserver.sessions.control import SessionControl
from rserver.sessions.label import BadLabel, checked_label
from rserver.sessions.machine import State
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.table import SessionTable
from rserver.settings import WorkerSettings
from rserver_core.session_id import NO_PROJECT

NOT_ACCEPTABLE, SESSION_LIMIT, STILL_RUNS = 10, 20, 22
# Not an option: what keeps one user from filling the store.
MOST_SESSIONS = 1000


class Refused(Exception):
    """The server does not do that; code as in the table of error codes, the text is a sentence for the user."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class NewSession:
    """What somebody wants to be in a new session."""

    label: str = ""
    r_version: str = ""
    project: str = ""
    choices: StartChoices = field(default_factory=StartChoices)


@dataclass(slots=True)
class UserActions:
    """settings: server-multiple-sessions and session-limit; replaced when the options are read again."""

    control: SessionControl
    installations: RInstallations
    settings: WorkerSettings
    profiles: UserProfiles

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

    def front(self, user: str, uid: int, server_url: str) -> Session | None:
        """The session that somebody who comes in wants, made when there is none; None when there are several."""
        own = self.table.open_of_user(user, uid)
        if self.multiple and len(own) > 1:
            return None
        if self.multiple and own:
            return own[0]
        session = self.table.one_of_user(user, uid)
        if session.state is State.ENDED:
            # Whoever comes back after q() wants R again; only its own page tells that it ended.
            self.control.resume(session, StartChoices(), server_url)
        return session

    async def create(self, user: str, uid: int, wanted: NewSession, server_url: str) -> Session:
        """A new session, started; where a user has only one, that one. Refused."""
        label = _label(wanted.label)
        if wanted.project not in {"", NO_PROJECT}:
            raise Refused(NOT_ACCEPTABLE, "There is no such project.")
        if wanted.r_version:
            await self._check_version(wanted.r_version)
        if not self.multiple:
            session = self.table.one_of_user(user, uid)
            self.control.want(session, server_url)
            return session
        await self._check_limit(user, uid)
        session = self.table.create(user, uid)
        session.label, session.r_version = label, wanted.r_version
        self.control.resume(session, wanted.choices, server_url)
        return session

    async def resume(self, session: Session, choices: StartChoices, server_url: str) -> None:
        """Start it again, as it was; nothing when it runs. Refused."""
        if session.state is State.ENDED and self.multiple:
            await self._check_limit(session.user, session.uid)
        self.control.resume(session, choices, server_url)

    def rename(self, session: Session, label: str) -> None:
        """Give it another label, or none; Refused."""
        session.label = _label(label)
        self.table.changed(session)

    def forget(self, session: Session) -> None:
        """Strike it off the list; Refused when there is a process."""
        if session.is_alive or session.status.record is not None:
            raise Refused(STILL_RUNS, "The session still runs. Quit it first.")
        self.table.forget(session)

    async def _check_limit(self, user: str, uid: int) -> None:
        limit = await self.limit_of(user)
        count = len(self.table.open_of_user(user, uid))
        if count >= limit:
            have = "1 session" if count == 1 else f"{count} sessions"
            raise Refused(
                SESSION_LIMIT, f"You have {have}, and this server allows {limit}. Quit one that you do not need."
            )

    async def _check_version(self, version: str) -> None:
        known = [installation.version for installation in await self.installations.every()]
        if version not in known:
            found = f"There is {', '.join(known)}." if known else "No R was found."
            raise Refused(NOT_ACCEPTABLE, f"R {version[:40]} is not installed here. {found}")


def _label(text: str) -> str:
    try:
        return checked_label(text)
    except BadLabel as error:
        raise Refused(NOT_ACCEPTABLE, str(error)) from None

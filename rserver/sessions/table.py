"""All sessions by id, and who may see which."""

import time
from collections.abc import Callable, Iterable, Iterator

from rserver.sessions.leftovers import Leftovers
from rserver.sessions.machine import State
from rserver.sessions.session import Session
from rserver.store.rows import SessionRow
from rserver_core.launch_wire import SessionRecord
from rserver_core.session_id import NO_PROJECT, SessionId, new_session_id

MOST_ENDED = 20


class SessionTable:
    """Sessions by their full id. Times are seconds since 1970; life names this run of the whole server."""

    def __init__(self, rows: Iterable[SessionRow] = (), now: Callable[[], float] = time.time, life: str = "") -> None:
        self._now, self._life = now, life
        self.leftovers = Leftovers()
        self._sessions: dict[str, Session] = {}
        self._of_user: dict[tuple[str, int], dict[str, Session]] = {}
        for row in rows:
            self._enter(Session.from_row(row, life))
        self._changed: set[str] = set()
        self._forgotten: set[str] = set()

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def get(self, session_id: str) -> Session | None:
        """The session of that id, whoever owns it."""
        return self._sessions.get(session_id)

    def find(self, session_id: str, user: str, uid: int) -> Session | None:
        """The session of that id when this account owns it; a stranger's is as good as unknown."""
        session = self._sessions.get(session_id)
        return session if session is not None and (session.user, session.uid) == (user, uid) else None

    def of_user(self, user: str, uid: int) -> list[Session]:
        """The sessions of this account, the one used last first."""
        own = self._of_user.get((user, uid), {}).values()
        return sorted(own, key=lambda session: session.last_used, reverse=True)

    def one_of_user(self, user: str, uid: int) -> Session:
        """The account's session for browsers that was used last, made when there is none."""
        own = [session for session in self.of_user(user, uid) if not session.door]
        return own[0] if own else self.create(user, uid)

    def open_of_user(self, user: str, uid: int) -> list[Session]:
        """As of_user, without those that their user ended."""
        return [session for session in self.of_user(user, uid) if session.state is not State.ENDED]

    def of_project(self, user: str, uid: int, project_id: str) -> list[Session]:
        """The account's sessions in a project, the one used last first."""
        return [session for session in self.of_user(user, uid) if session.project_id == project_id]

    def elsewhere(self, session_id: str, user: str, uid: int) -> Session | None:
        """This account's session whose address differs in the project alone."""
        wanted = SessionId.parse(session_id)
        if wanted is None:
            return None
        return next((own for own in self.of_user(user, uid) if own.id[-8:] == wanted.session), None)

    def create(self, user: str, uid: int, project_id: str = NO_PROJECT, path: str = "") -> Session:
        """A new session of this account, in a project. Those that ended longest ago make room."""
        ended = [session for session in self.of_user(user, uid) if session.state is State.ENDED]
        for session in ended[MOST_ENDED - 1 :]:
            self.forget(session)
        while (session_id := str(new_session_id(uid, project_id))) in self._sessions:
            continue
        session = self._add(session_id, user, uid)
        session.project, session.stored = path, 0.0
        return session

    def forget(self, session: Session) -> None:
        """Strike it off the list."""
        self.leftovers.add((session.user, session.uid), session.id)
        del self._sessions[session.id]
        own = self._of_user[session.user, session.uid]
        del own[session.id]
        if not own:
            del self._of_user[session.user, session.uid]
        self._changed.discard(session.id)
        self._forgotten.add(session.id)

    def adopt(self, record: SessionRecord) -> Session:
        """The session that a running process belongs to; its metadata may have been lost."""
        return self._sessions.get(record.session) or self._add(record.session, record.user, record.uid)

    def used(self, session: Session) -> None:
        """The session was used just now."""
        session.last_used = self._now()
        self._changed.add(session.id)

    def changed(self, session: Session) -> None:
        """The store should know what it is now."""
        self._changed.add(session.id)

    def take_changed(self) -> list[SessionRow]:
        """What the store has not seen yet."""
        changed, self._changed = self._changed, set()
        return [self._sessions[session_id].to_row(self._life) for session_id in changed]

    def take_forgotten(self) -> list[str]:
        """Ids that the store does not know yet to be gone."""
        forgotten, self._forgotten = self._forgotten, set()
        return list(forgotten)

    def _add(self, session_id: str, user: str, uid: int) -> Session:
        now = self._now()
        session = Session(session_id, user, uid, created=now, last_used=now)
        self._enter(session)
        self._changed.add(session_id)
        return session

    def _enter(self, session: Session) -> None:
        self._sessions[session.id] = session
        self._of_user.setdefault((session.user, session.uid), {})[session.id] = session

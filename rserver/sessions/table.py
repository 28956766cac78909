"""All sessions by id, and who may see which."""

import time
from collections.abc import Callable, Iterable, Iterator

from rserver.sessions.session import Session
from rserver.store.rows import SessionRow
from rserver_core.launch_wire import SessionRecord
from rserver_core.session_id import new_session_id


class SessionTable:
    """Sessions by their full id. Times are seconds since 1970; life names this run of the whole server."""

    def __init__(self, rows: Iterable[SessionRow] = (), now: Callable[[], float] = time.time, life: str = "") -> None:
        self._now, self._life = now, life
        self._sessions = {row.id: Session.from_row(row, life) for row in rows}
        self._changed: set[str] = set()

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
        own = [session for session in self._sessions.values() if (session.user, session.uid) == (user, uid)]
        return sorted(own, key=lambda session: session.last_used, reverse=True)

    def one_of_user(self, user: str, uid: int) -> Session:
        """The account's session, made when there is none."""
        own = self.of_user(user, uid)
        return own[0] if own else self._add(str(new_session_id(uid)), user, uid)

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

    def _add(self, session_id: str, user: str, uid: int) -> Session:
        now = self._now()
        session = self._sessions[session_id] = Session(session_id, user, uid, created=now, last_used=now)
        self._changed.add(session_id)
        return session

"""What is carried to sessions now: requests and WebSockets, by account and by session."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol


class Live(Protocol):
    """Something carried to a session now: a request or a WebSocket."""

    @property
    def user(self) -> str:
        """The account it was signed in as."""

    @property
    def session_id(self) -> str:
        """The session it goes to."""

    @property
    def joins(self) -> str:
        """The session that keeps the shared text to which this leads; empty: it leads to no text."""

    @property
    def listens(self) -> bool:
        """Somebody follows the events of the session with it."""

    def close(self) -> None:
        """Break it off."""


class Carried:
    """All of them. counts: how many there are of each account, to be read only."""

    def __init__(self) -> None:
        self._live: set[Live] = set()
        self.counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Live]:
        return iter(list(self._live))

    def count(self, user: str) -> int:
        """How many are of this account."""
        return self.counts.get(user, 0)

    def add(self, live: Live) -> None:
        """It begins."""
        if live not in self._live:
            self._live.add(live)
            self.counts[live.user] = self.counts.get(live.user, 0) + 1

    def discard(self, live: Live) -> None:
        """It ended, perhaps long ago."""
        if live in self._live:
            self._live.discard(live)
            left = self.counts[live.user] - 1
            if left:
                self.counts[live.user] = left
            else:
                del self.counts[live.user]

    def of_user(self, user: str) -> list[Live]:
        """What is carried for this account."""
        return [live for live in self._live if live.user == user] if user in self.counts else []

    def of_session(self, session_id: str) -> list[Live]:
        """What is carried to this session."""
        return [live for live in self._live if live.session_id == session_id]

    def of_join(self, session_id: str, host_id: str) -> list[Live]:
        """What leads from a session to the texts that another one keeps."""
        return [live for live in self._live if (live.session_id, live.joins) == (session_id, host_id)]

    def listeners(self) -> Mapping[str, int]:
        """Open event streams by session."""
        return Counter(live.session_id for live in self._live if live.listens)

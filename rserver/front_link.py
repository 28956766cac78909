"""From what decides to what carries: the front of this process, and those of other workers."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed

from rserver.sessions.session import Session
from rserver.web.request import FrontControl
from rserver.workers.control_socket import DataWorkers


@dataclass(slots=True)
class FrontLink:
    """The way to the front, which is made last, and to other workers, if there are any.

    variables: what every session that starts is told besides.
    """

    front: FrontControl | None = None
    others: DataWorkers | None = None
    variables: Callable[[], Mapping[str, str]] = dict

    def void(self, user: str, stamp: int) -> None:
        """Cookies of user issued up to stamp are void."""
        if self.others is not None:
            self.others.void(user, stamp)

    def changed(self) -> None:
        """Sessions are not what they were."""
        if self.others is not None:
            self.others.changed()

    def everybody_knows(self) -> "Deferred[None]":
        """Fires when all workers have carried out what they were told."""
        if self.others is None:
            return succeed(None)
        return Deferred.fromFuture(asyncio.ensure_future(self.others.heard()))

    def close_user(self, user: str) -> None:
        """End what is carried for somebody who signed out."""
        if self.front is not None:
            self.front.close_user(user)
        if self.others is not None:
            self.others.close_user(user)

    def close_session(self, session: Session) -> None:
        """End what is carried to a session that is gone."""
        if self.front is not None:
            self.front.close_session(session.id)
        if self.others is not None:
            self.others.close_session(session.id)

    def close_join(self, own: Session, host: Session) -> None:
        """End what leads from a session to the texts of another one."""
        if self.front is not None:
            self.front.close_join(own.id, host.id)
        if self.others is not None:
            self.others.close_join(own.id, host.id)

    def listeners(self) -> Mapping[str, int]:
        """Open event streams by session id."""
        found = Counter(self.front.listeners() if self.front is not None else {})
        if self.others is not None:
            found.update(self.others.listeners())
        return found

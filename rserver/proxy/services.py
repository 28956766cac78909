"""What every exchange needs: the collaborators and the state that the connections of one worker share."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from twisted.logger import Logger

from rserver.proxy.deadlines import Deadlines
from rserver.proxy.pool import Pool
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Gate, Pages, RequestHead, Response, SessionEvents
from rserver.web.responses import STATUS_OF_CODE, plain, rpc_error, wants_page


class Live(Protocol):
    """Something carried to a session now: a request or a WebSocket."""

    @property
    def user(self) -> str:
        """The account it was signed in as."""

    @property
    def session_id(self) -> str:
        """The session it goes to."""

    @property
    def listens(self) -> bool:
        """Somebody follows the events of the session with it."""

    def close(self) -> None:
        """Break it off."""


Closed = Callable[[RequestHead], Response | None]
"""The answer to give to everybody while nothing is served, else None."""


@dataclass(slots=True)
class Services:
    """Shared by all connections of one worker."""

    settings: FrontSettings
    loop: asyncio.AbstractEventLoop
    gate: Gate
    pages: Pages
    events: SessionEvents
    deadlines: Deadlines
    pool: Pool
    log: Logger
    closed: Closed
    live: set[Live] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def live_of_user(self, user: str) -> Iterator[Live]:
        """What is carried for this account."""
        return (live for live in list(self.live) if live.user == user)

    def live_of_session(self, session_id: str) -> Iterator[Live]:
        """What is carried to this session."""
        return (live for live in list(self.live) if live.session_id == session_id)

    def error(self, head: RequestHead, code: int, message: str) -> Response:
        """The answer for an error: a page when a browser asked for one to show, else JSON with this code."""
        return self.error_page(head, STATUS_OF_CODE[code], message) if wants_page(head) else rpc_error(code, message)

    def error_page(self, head: RequestHead, status: int, message: str) -> Response:
        """The page for an error; plain text when even that fails."""
        try:
            return self.pages.error(head, status, message)
        except Exception:
            self.log.failure("error page for status {status} failed", status=status)
            return plain(message + "\n", status)

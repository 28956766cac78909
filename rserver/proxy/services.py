"""What every exchange needs: the collaborators and the state that the connections of one worker share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.logger import Logger

from rserver.proxy.admission import Admission
from rserver.proxy.carried import Carried
from rserver.proxy.carrier import Carrier
from rserver.proxy.deadlines import Deadlines
from rserver.proxy.fair_share import FairShare
from rserver.proxy.pool import Pool
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Gate, Pages, RequestHead, Response, SessionEvents
from rserver.web.responses import STATUS_OF_CODE, plain, rpc_error, wants_page

Closed = Callable[[RequestHead], Response | None]
"""The answer to give to everybody while nothing is served, else None."""


KnowsToken = Callable[[str], bool]
"""Whether this is a good token of `rstudio-server diagnose`."""


@dataclass(slots=True)
class Services:
    """Shared by all connections of one worker.

    connections  client connections by address; pages_open: page requests by the browser's address
    shares, page_shares  whose requests to sessions and pages begin in this turn of the loop
    """

    settings: FrontSettings
    loop: asyncio.AbstractEventLoop
    gate: Gate
    pages: Pages
    events: SessionEvents
    deadlines: Deadlines
    pool: Pool
    carrier: Carrier
    log: Logger
    closed: Closed
    knows_token: KnowsToken = lambda token: False
    live: Carried = field(default_factory=Carried)
    connections: Admission = field(default_factory=Admission)
    pages_open: Admission = field(init=False)
    shares: FairShare = field(init=False)
    page_shares: FairShare = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.pages_open = Admission(self.settings.max_pages, self.settings.max_per_address)
        self.shares = FairShare(self.loop, self.settings.share)
        self.page_shares = FairShare(self.loop, self.settings.page_share)

    def too_many_of(self, user: str) -> str:
        """Why this account may not have another request carried, a sentence; empty: it may."""
        most = self.settings.max_per_user
        if most and self.live.count(user) + self.carrier.carried_for(user) >= most:
            return f"You have {most} requests and connections open, which is the most allowed."
        return ""

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

"""What stands behind the front of a data worker: it looks at cookies itself and asks control for everything else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from rserver.proxy.origin_policy import SAFE_METHODS
from rserver.proxy.overload import HEALTH_CHECK, refusal
from rserver.proxy.router import collab_host
from rserver.settings import SettingsError, WorkerSettings
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.revocations import Revocations
from rserver.sign_in.single_user import SingleUser
from rserver.web.error_page import error_page
from rserver.web.gate import is_foreground
from rserver.web.request import ANONYMOUS, Authentication, Identity, Request, RequestHead, Response, Target
from rserver.web.responses import plain
from rserver.web.templates import Templates
from rserver.workers import wire
from rserver.workers.control_link import ControlGone, ControlLink

if TYPE_CHECKING:
    from rserver.sign_in.cookies import CookieSigner
    from rserver_core.frame import Message

REPORT_SECONDS = 0.5
_MOST_KNOWN = 16_384
_GONE = "The server is busy with itself. Try again in a few seconds."

_log = Logger()


class Plane(Protocol):
    """The part of the front that is told what ended."""

    def close_user(self, user: str) -> int:
        """See FrontControl."""

    def close_session(self, session_id: str) -> int:
        """See FrontControl."""

    def close_join(self, session_id: str, host_id: str) -> int:
        """See FrontControl."""

    def listeners(self) -> Mapping[str, int]:
        """See FrontControl."""

    def forget(self) -> None:
        """Every caller and every session is asked about anew."""


@dataclass(slots=True)
class DataWorker:
    """Implements Gate, Pages and SessionEvents. signer: makes one of the keys in a message of the master.

    What control said of a session holds until it says otherwise, also while control is gone: nobody can sign out then.
    """

    loop: asyncio.AbstractEventLoop
    settings: WorkerSettings
    credentials: Credentials
    signer: "Callable[[Message], CookieSigner]"
    single_user: SingleUser | None
    path: str
    plane: Plane | None = None
    link: ControlLink = field(init=False)
    _templates: Templates = field(default_factory=Templates)
    _known: dict[str, tuple[Identity, Target]] = field(default_factory=dict)
    _offers: set[int] = field(default_factory=set)
    _carried: dict[str, int] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _answered: set[str] = field(default_factory=set)
    _is_reporting: bool = False
    _listeners: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.link = ControlLink(self.loop, self.path, self)

    async def start(self) -> None:
        """Ask for a connection; done when control has begun to speak, so that void cookies are known."""
        self.link.start()
        await self.link.begun.wait()

    async def finish(self) -> None:
        """The front has stopped."""
        self.link.close()

    def on_event(self, event: "Message") -> None:
        """An event of the master."""
        if event.get("event") != "options":
            return
        try:
            self.settings, signer = WorkerSettings.from_options(event.get("options", {})), self.signer(event)
        except (SettingsError, ValueError) as error:
            _log.error("the new options cannot be used: {error}", error=str(error))
            return
        self.credentials.signer, self.credentials.life = signer, self.settings.cookie_life

    # Gate

    def authenticate(self, head: RequestHead) -> Authentication:
        """See Gate. Only somebody whom control let to a session gets a new cookie here."""
        ticket = self.credentials.check(head.cookies)
        if ticket is None:
            if self.single_user is None:
                return ANONYMOUS
            return Authentication(self.single_user.identity(head), repeatable=False)
        identity = Identity(ticket.user, ticket.uid)
        if not is_foreground(head) or not self._is_let_in(head, identity):
            return Authentication(identity)
        return Authentication(identity, self.credentials.renewed(ticket, secure=head.secure, root_path=head.root_path))

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        """See Gate."""
        known = self._known.get(session_id)
        if known is not None and known[0] == identity and collab_host(head.path) is None:
            return known[1]
        return self._asked_target(identity, session_id, head)

    async def _asked_target(self, identity: Identity, session_id: str, head: RequestHead) -> Target | Response:
        fields = wire.fields_of(head)
        try:
            found = await self.link.ask(
                lambda number: wire.AskTarget(number, session_id, fields), wire.Found, is_safe=True
            )
        except ControlGone:
            return refusal(head, _GONE, self.error)
        if found.response is not None or found.place is None:
            return found.response or self.error(head, 500, "The server failed to answer this request.")
        target = wire.target_of(found.place)
        if found.number in self._offers:
            # Nothing was taken back since it came.
            self._offers.discard(found.number)
            if collab_host(head.path) is not None:
                return target
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[session_id] = identity, target
        return target

    def _is_let_in(self, head: RequestHead, identity: Identity) -> bool:
        session_id = head.path.removeprefix("/s/").partition("/")[0]
        known = self._known.get(session_id)
        return known is not None and known[0] == identity

    # Pages

    async def handle(self, request: Request) -> Response:
        """See Pages."""
        if request.path == HEALTH_CHECK and self.link.begun.is_set():
            return plain("ok")
        fields = wire.fields_of(request.head)
        try:
            page = await self.link.ask(
                lambda number: wire.AskPage(number, fields, request.body),
                wire.Page,
                is_safe=request.method in SAFE_METHODS,
            )
        except ControlGone:
            return refusal(request.head, _GONE, self.error)
        names = {cookie.partition("=")[0] for cookie in page.response.cookies}
        added = tuple(cookie for cookie in page.cookies if cookie.partition("=")[0] not in names)
        return replace(page.response, cookies=page.response.cookies + added)

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        """See Pages."""
        return error_page(self._templates, head, status, message)

    # SessionEvents

    def connected(self, session_id: str) -> None:
        """See SessionEvents."""
        self._count(session_id, 1)

    def disconnected(self, session_id: str) -> None:
        """See SessionEvents."""
        self._count(session_id, -1)

    def first_byte(self, session_id: str) -> None:
        """See SessionEvents."""
        self._answered.add(session_id)

    def failed(self, session_id: str, reason: str) -> None:
        """See SessionEvents."""
        self._known.pop(session_id, None)
        self.link.send(wire.Failed(session_id, reason))

    def _count(self, session_id: str, more: int) -> None:
        count = self._carried.get(session_id, 0) + more
        if count:
            self._carried[session_id] = count
        else:
            del self._carried[session_id]
        self._changed.add(session_id)
        if not self._is_reporting:
            self._is_reporting = True
            self.loop.call_later(REPORT_SECONDS, self._report)

    def _report(self) -> None:
        self._is_reporting = False
        connections = {session_id: self._carried.get(session_id, 0) for session_id in self._changed}
        listeners = dict(self.plane.listeners()) if self.plane is not None else {}
        if self.link.begun.is_set():
            self.link.send(wire.InUse(connections, listeners, tuple(self._answered)))
            self._changed.clear()
            self._answered.clear()

    # Listener

    def begun(self, message: wire.Begin) -> None:
        """See Listener."""
        self._known.clear()
        self._offers.clear()
        if self.plane is not None:
            self.plane.forget()
        self.credentials.revocations = Revocations(message.revocations)
        self._changed.update(self._carried)
        # Behind what is being set up now: the link must know that it has begun.
        self.loop.call_soon(self._report)

    def offered(self, number: int) -> None:
        """See Listener."""
        self._offers.add(number)

    def ordered(self, message: wire.Forget | wire.Void | wire.CloseUser | wire.CloseJoin) -> None:
        """See Listener."""
        self._offers.clear()
        if self.plane is not None:
            self.plane.forget()
        match message:
            case wire.Forget():
                for session_id in message.sessions:
                    self._known.pop(session_id, None)
                    if message.close and self.plane is not None:
                        self.plane.close_session(session_id)
            case wire.Void():
                self.credentials.revocations.revoke(message.user, message.stamp)
            case wire.CloseUser():
                self._known = {each: known for each, known in self._known.items() if known[0].user != message.user}
                if self.plane is not None:
                    self.plane.close_user(message.user)
            case wire.CloseJoin():
                if self.plane is not None:
                    self.plane.close_join(message.session, message.host)

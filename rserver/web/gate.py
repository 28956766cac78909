"""Who is calling and where a session listens: implements Gate and SessionEvents."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from rserver.proxy.router import collab_host
from rserver.sessions.control import SessionControl
from rserver.sessions.machine import STARTING, State
from rserver.sessions.session import Session
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.single_user import SingleUser
from rserver.web.account_check import AccountCheck
from rserver.web.joins import Joins
from rserver.web.request import ANONYMOUS, Authentication, Identity, RequestHead, Response, Target
from rserver.web.responses import UNREACHABLE, rpc_error, wants_page
from rserver.web.session_view import no_such_session, not_running, server_url

_NOT_RENEWING = ("/events", "/rpc/get_events")
# What open pages ask and tell without anybody's doing: that must not bring a suspended session back.
_NOT_WANTING = (
    *_NOT_RENEWING,
    "/rpc/get_environment_state",
    "/rpc/get_memory_use",
    "/rpc/get_plots",
    "/rpc/get_presence",
    "/rpc/save_view",
    "/rpc/set_plot_size",
)
_BACKGROUND = "x-rstudio-refresh-auth-creds"


@dataclass(slots=True)
class WorkerGate:
    """single_user: let in its owner without a cookie. loop: where awaitables for the front run.

    joins: whether somebody, in a session of theirs, may edit a text that another session keeps.
    no_session: the page for a session that is unknown. accounts: refuses those that are gone; none in single-user
    mode, where a container may know no name for its user.
    """

    credentials: Credentials
    control: SessionControl
    loop: Callable[[], asyncio.AbstractEventLoop]
    single_user: SingleUser | None = None
    no_session: Callable[[RequestHead, str, Identity], Response] = lambda *_: no_such_session()
    accounts: AccountCheck | None = None
    joins: Joins = field(default_factory=Joins)

    def authenticate(self, head: RequestHead) -> Authentication:
        """See Gate."""
        seen = self._by_cookie(head)
        if seen.identity is None and self.single_user is not None:
            return Authentication(self.single_user.identity(head), repeatable=False)
        return seen

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        """See Gate."""
        if self.accounts is not None:
            problem = self.accounts.known(identity)
            if problem:
                return self.accounts.refusal(head, problem)
            if problem is None:
                return self.loop().create_task(self._target_after_check(self.accounts, identity, session_id, head))
        return self._target(identity, session_id, head)

    async def _target_after_check(
        self, accounts: AccountCheck, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response:
        problem = await Deferred.fromCoroutine(accounts.problem(identity)).asFuture(self.loop())
        if problem:
            return accounts.refusal(head, problem)
        found = self._target(identity, session_id, head)
        return found if isinstance(found, Target | Response) else await found

    def _target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        session = self.control.table.find(session_id, identity.user, identity.uid)
        if session is None:
            return self.no_session(head, session_id, identity) if wants_page(head) else no_such_session()
        if (host := collab_host(head.path)) is not None:
            return self._host_target(identity, session, host)
        if session.target is not None:
            return session.target
        if not head.path.endswith(_NOT_WANTING):
            self.control.want(session, server_url(head))
        if session.state not in STARTING:
            return _settled(session, head.root_path)
        return session.when_settled().addCallback(lambda _: _settled(session, head.root_path)).asFuture(self.loop())

    def _host_target(self, identity: Identity, own: Session, host_id: str) -> Target | Response:
        """The session that keeps a shared text. It looks itself whether this user may change the file."""
        host = self.control.table.get(host_id)
        if host is None or not self.joins.ask(identity, own, host):
            return no_such_session()
        if own.target is None or host.target is None:
            return rpc_error(UNREACHABLE, "The session that keeps the text does not run.")
        return Target(host.target.socket_path, host.target.uid, (("X-RS-User", identity.user),))

    def connected(self, session_id: str) -> None:
        """See SessionEvents."""
        if (session := self.control.table.get(session_id)) is not None:
            session.connections += 1
            self.control.table.used(session)

    def disconnected(self, session_id: str) -> None:
        """See SessionEvents."""
        if (session := self.control.table.get(session_id)) is not None:
            session.connections -= 1
            self.control.table.used(session)

    def carried_elsewhere(self, session_id: str, more: int) -> None:
        """So many requests and WebSockets more than before are carried by other workers; below 0: fewer."""
        if (session := self.control.table.get(session_id)) is not None:
            session.connections += more
            self.control.table.used(session)

    def first_byte(self, session_id: str) -> None:
        """See SessionEvents."""
        if (session := self.control.table.get(session_id)) is not None:
            session.proven = True

    def failed(self, session_id: str, reason: str) -> None:
        """See SessionEvents. The process may be gone without a word: ask."""
        session = self.control.table.get(session_id)
        if session is not None and session.state is State.RUNNING:
            self.control.reconcile()

    def _by_cookie(self, head: RequestHead) -> Authentication:
        if (ticket := self.credentials.check(head.cookies)) is None:
            return ANONYMOUS
        identity = Identity(ticket.user, ticket.uid)
        # An account that is not known to stand yet is renewed with a later request.
        stands = self.accounts is None or self.accounts.known(identity) == ""
        is_renewed = stands and is_foreground(head)
        if not is_renewed:
            return Authentication(identity)
        return Authentication(identity, self.credentials.renewed(ticket, secure=head.secure, root_path=head.root_path))


def _settled(session: Session, root_path: str) -> Target | Response:
    return session.target or not_running(session, root_path)


def is_foreground(head: RequestHead) -> bool:
    """False for what a page asks by itself: that must not keep somebody signed in who has gone."""
    if head.headers.get(_BACKGROUND) == "0" or "upgrade" in head.headers:
        return False
    return not head.path.endswith(_NOT_RENEWING)

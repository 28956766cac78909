"""Who sends a request to the door, and where sessions of programs are. Implements Gate."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from rserver.remote.answers import error
from rserver.remote.sessions import RemoteSessions
from rserver.remote.tokens import TokenPairs
from rserver.sessions.machine import STARTING, State
from rserver.sessions.session import Session
from rserver.web.account_check import AccountCheck
from rserver.web.request import ANONYMOUS, Authentication, Identity, RequestHead, Response, Target
from rserver.web.session_view import server_url


@dataclass(slots=True)
class RemoteGate:
    """accounts: refuses those that are gone; none in single-user mode."""

    tokens: TokenPairs
    sessions: RemoteSessions
    accounts: AccountCheck | None
    loop: Callable[[], asyncio.AbstractEventLoop]

    def authenticate(self, head: RequestHead) -> Authentication:
        """See Gate."""
        bearer = self.tokens.bearer(head.headers.get("authorization", ""))
        return ANONYMOUS if bearer is None else Authentication(bearer.identity)

    def session_target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        """See Gate."""
        if self.accounts is None or self.accounts.known(identity) == "":
            return self._target(identity, session_id, head)
        return self.loop().create_task(self._target_after_check(self.accounts, identity, session_id, head))

    async def _target_after_check(
        self, accounts: AccountCheck, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response:
        problem = await Deferred.fromCoroutine(accounts.problem(identity)).asFuture(self.loop())
        if problem:
            return error(401, problem)
        found = self._target(identity, session_id, head)
        return found if isinstance(found, Target | Response) else await found

    def _target(
        self, identity: Identity, session_id: str, head: RequestHead
    ) -> Target | Response | Awaitable[Target | Response]:
        session = self.sessions.find(identity, session_id)
        if session is None:
            return error(404, "There is no such session.")
        if session.target is not None:
            return session.target
        self.sessions.actions.control.want(session, server_url(head))
        if session.state not in STARTING:
            return _settled(session)
        return session.when_settled().addCallback(lambda _: _settled(session)).asFuture(self.loop())


def _settled(session: Session) -> Target | Response:
    if session.target is not None:
        return session.target
    fate = session.status.fate
    cause = fate.cause if fate else "It does not run."
    status = 410 if session.state in {State.ENDED, State.FAILED} else 503
    return error(status, f"The session has ended: {cause}" if status == 410 else f"The session cannot be had: {cause}")

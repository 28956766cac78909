"""Everything the worker answers itself: implements Pages."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred

from rserver.notifications_file import NotificationsFile
from rserver.sessions.machine import State
from rserver.sessions.saver import SessionSaver
from rserver.sessions.session import Session
from rserver.sessions.user_actions import Refused, UserActions
from rserver.web.account_check import AccountCheck
from rserver.web.api import SESSIONS, SessionsApi
from rserver.web.diagnosis_page import DIAGNOSIS, DiagnosisPage
from rserver.web.error_page import error_page
from rserver.web.failure_page import FailurePage
from rserver.web.home_page import HOME, HomePage
from rserver.web.ide_page import IdePage, NotBuilt
from rserver.web.projects_api import PROJECTS, ProjectsApi
from rserver.web.r_versions_api import R_VERSIONS, RVersionsApi
from rserver.web.request import Identity, Request, RequestHead, Response
from rserver.web.responses import NOT_SIGNED_IN, json_answer, plain, redirect, rpc_error, sign_in_redirect
from rserver.web.scope_page import ScopePage
from rserver.web.session_view import server_url, url_of
from rserver.web.shared_projects_api import SHARED_PROJECTS, SharedProjectsApi
from rserver.web.sign_in_pages import SIGN_IN, SignInPages, csrf_token
from rserver.web.templates import Templates

_FAVICON = "/static/favicon.svg"
_PREFIX = "/s/"
_FOR_ANYBODY = frozenset(
    {SIGN_IN, "/auth-do-sign-in", "/auth-sign-out", "/auth-token", "/health-check", "/favicon.ico"}
)
NOTIFICATIONS = "/api/notifications"

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class WorkerPages:
    """loop: where answers for the front run. The pages' own code waits on Deferreds."""

    sign_in: SignInPages
    home: HomePage
    failure: FailurePage
    ide: IdePage
    api: SessionsApi
    projects_api: ProjectsApi
    scope: ScopePage
    r_versions: RVersionsApi
    actions: UserActions
    templates: Templates
    saver: SessionSaver
    notifications: NotificationsFile
    loop: Callable[[], asyncio.AbstractEventLoop]
    accounts: AccountCheck | None = None
    diagnosis: DiagnosisPage | None = None
    shared_projects: SharedProjectsApi | None = None

    def handle(self, request: Request) -> Awaitable[Response]:
        """See Pages."""
        return Deferred.fromCoroutine(self.answer(request)).asFuture(self.loop())

    async def answer(self, request: Request) -> Response:
        """The answer to any page request."""
        if self.accounts is None or request.identity is None:
            return await self._answer(request)
        problem = await self.accounts.problem(request.identity)
        if problem and request.path not in _FOR_ANYBODY:
            return self.accounts.refusal(request.head, problem)
        return await self._answer(replace(request, identity=None) if problem else request)

    async def _answer(self, request: Request) -> Response:
        if request.path == SESSIONS or request.path.startswith(SESSIONS + "/"):
            response = await self.api.handle(request)
            await self.saver.save()
            return response
        if request.path == PROJECTS or request.path.startswith(PROJECTS + "/"):
            response = self.projects_api.handle(request)
            await self.saver.save()
            return response
        if request.path == SHARED_PROJECTS or request.path.startswith(SHARED_PROJECTS + "/"):
            return await self._shared_projects(request)
        if request.path == R_VERSIONS or request.path.startswith(R_VERSIONS + "/"):
            return await self.r_versions.handle(request)
        if request.path.startswith(_PREFIX):
            return await self._session_page(request)
        return await self._plain_page(request)

    def error(self, head: RequestHead, status: int, message: str) -> Response:
        """See Pages."""
        return error_page(self.templates, head, status, message)

    async def _plain_page(self, request: Request) -> Response:
        handlers = self._handlers().get(request.path)
        if handlers is None:
            return self.error(request.head, 404, "There is no such page.")
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            return self.error(request.head, 405, f"This address takes {' or '.join(handlers)} only.")
        return await handler(request)

    def _handlers(self) -> dict[str, dict[str, Handler]]:
        diagnosis: dict[str, Handler] = (
            {"GET": self.diagnosis.show, "POST": self.diagnosis.begin} if self.diagnosis else {}
        )
        return {
            DIAGNOSIS: diagnosis,
            "/": {"GET": self._root},
            HOME: {"GET": self.home.show, "POST": self._home_form},
            SIGN_IN: {"GET": self.sign_in.show},
            "/auth-do-sign-in": {"POST": self.sign_in.sign_in},
            "/auth-sign-out": {"POST": self.sign_in.sign_out},
            "/auth-token": {"GET": self.sign_in.by_token},
            NOTIFICATIONS: {"GET": self._notifications},
            "/health-check": {"GET": _health},
            "/favicon.ico": {"GET": _favicon},
        }

    async def _shared_projects(self, request: Request) -> Response:
        if self.shared_projects is None:
            return self.error(request.head, 404, "There is no such page.")
        return await self.shared_projects.handle(request)

    async def _notifications(self, request: Request) -> Response:
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        shown = self.notifications.shown()
        return json_answer(
            {"notifications": [{"id": each.id, "message": each.message, "ends": each.ends} for each in shown]}
        )

    async def _root(self, request: Request) -> Response:
        identity = request.identity
        if identity is None:
            return sign_in_redirect(request.head)
        session = self.actions.front(identity.user, identity.uid, server_url(request.head))
        if session is None:
            return redirect(request.head.root_path + HOME)
        await self.saver.save()
        return redirect(url_of(session.id, request.head.root_path))

    async def _home_form(self, request: Request) -> Response:
        response = await self.home.act(request)
        await self.saver.save()
        return response

    async def _session_page(self, request: Request) -> Response:
        session_id, _, rest = request.path.removeprefix(_PREFIX).partition("/")
        session = self._own(session_id, request.identity)
        if session is None:
            return self.scope.show(request.head, session_id, request.identity)
        if rest == "restart":
            return await self._restart(session, request)
        if request.method not in {"GET", "HEAD"}:
            return self.error(request.head, 405, "This address takes GET only.")
        return await self._show(session, request.head)

    async def _show(self, session: Session, head: RequestHead) -> Response:
        control = self.actions.control
        control.want(session, server_url(head))
        if session.state in {State.FAILED, State.ENDED}:
            return await self.failure.show(session, head)
        control.table.used(session)
        cookie = self.sign_in.credentials.csrf(csrf_token(head), secure=head.secure, root_path=head.root_path)
        try:
            return self.ide.response((cookie,))
        except NotBuilt:
            return self.error(head, 500, "The web bundle is missing. Whoever runs this server builds it by: make setup")

    async def _restart(self, session: Session, request: Request) -> Response:
        if request.method != "POST":
            return redirect(url_of(session.id, request.head.root_path))
        try:
            answer = await self.failure.restart(session, request)
        except Refused as error:
            return self.error(request.head, 409, str(error))
        return answer or self.error(request.head, 400, "The form is too old. Go back, reload the page and try again.")

    def _own(self, session_id: str, identity: Identity | None) -> Session | None:
        if identity is None:
            return None
        return self.actions.table.find(session_id, identity.user, identity.uid)


async def _health(_request: Request) -> Response:
    return plain("ok")


async def _favicon(request: Request) -> Response:
    return redirect(request.head.root_path + _FAVICON)

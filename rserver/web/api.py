"""REST of sessions, below /api/sessions. The front has checked the CSRF header."""

from dataclasses import dataclass, replace

import msgspec

from rserver.master_client import MasterError
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.table import SessionTable
from rserver.sessions.user_actions import Leaving, NewSession, Refused, UserActions
from rserver.web.json_body import BadBody, json_body
from rserver.web.request import Identity, Request, Response
from rserver.web.responses import (
    INTERNAL,
    NO_SUCH_SESSION,
    NOT_A_REQUEST,
    NOT_ACCEPTABLE,
    NOT_SIGNED_IN,
    SESSION_LIMIT,
    UNAVAILABLE,
    json_answer,
    rpc_error,
)
from rserver.web.session_view import SessionLister, json_of, no_such_session, server_url, url_of

SESSIONS = "/api/sessions"
_ACTIONS = frozenset({"suspend", "resume", "quit", "kill"})
_OF_MASTER = {"unknown_session": (404, NO_SUCH_SESSION), "timeout": (504, UNAVAILABLE), "closed": (503, UNAVAILABLE)}
_OF_REFUSAL = {NOT_ACCEPTABLE: 400, SESSION_LIMIT: 409}


class Leave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The session that a new one takes the place of."""

    session: str
    quit: bool = False
    save: str = "default"


class New(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /api/sessions."""

    r_version: str | None = None
    label: str | None = None
    safe_start: bool = False
    run_rprofile: bool = True
    restore: bool = True
    project: str | None = None
    create_project: bool = False
    reuse: bool = False
    leave: Leave | None = None

    def wanted(self) -> NewSession:
        """As the actions take it."""
        safe = self.safe_start
        choices = StartChoices(self.run_rprofile and not safe, self.restore and not safe, self.create_project)
        leave = Leaving(self.leave.session, self.leave.quit, self.leave.save) if self.leave else Leaving()
        return NewSession(self.label or "", self.r_version or "", self.project, choices, self.reuse, leave)


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST …/resume."""

    run_rprofile: bool = True
    restore: bool = True
    create_project: bool = False
    in_project: bool = True


class Suspend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST …/suspend."""

    force: bool = False


class Quit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST …/quit. default: as the user has set it; who has to be asked is not asked, and nothing is saved."""

    save: str = "default"


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of PATCH /api/sessions/{id}."""

    label: str | None = None
    r_version: str | None = None


@dataclass(slots=True)
class SessionsApi:
    """Answers for /api/sessions and below."""

    actions: UserActions
    lister: SessionLister

    @property
    def table(self) -> SessionTable:
        """All sessions."""
        return self.actions.table

    async def handle(self, request: Request) -> Response:
        """Any request to /api/sessions…"""
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        try:
            return await self._answer(request, request.identity)
        except BadBody as error:
            return rpc_error(NOT_A_REQUEST, f"The body is not acceptable: {error}", 400)
        except Refused as error:
            return rpc_error(error.code, str(error), _OF_REFUSAL.get(error.code, 409))
        except MasterError as error:
            status, code = _OF_MASTER.get(error.code, (500, INTERNAL))
            return rpc_error(code, error.message, status)

    async def _answer(self, request: Request, identity: Identity) -> Response:
        rest = request.path.removeprefix(SESSIONS).strip("/")
        if not rest:
            return await self._collection(request, identity)
        session_id, _, action = rest.partition("/")
        session = self.table.find(session_id, identity.user, identity.uid)
        if session is None:
            return no_such_session()
        if not action:
            return await self._member(request, session)
        if action not in _ACTIONS:
            return rpc_error(NOT_A_REQUEST, "There is no such action.", 404)
        return await self._act(request, session, action) if request.method == "POST" else _not_allowed("POST")

    async def _collection(self, request: Request, identity: Identity) -> Response:
        root = request.head.root_path
        match request.method:
            case "GET":
                own = self.table.of_user(identity.user, identity.uid)
                return json_answer({"sessions": await self.lister.shown(own, root)})
            case "POST":
                wanted = json_body(request, New).wanted()
                session = await self.actions.create(identity.user, identity.uid, wanted, server_url(request.head))
                return json_answer({"id": session.id, "url": url_of(session.id, root)}, 201)
        return _not_allowed("GET, POST")

    async def _member(self, request: Request, session: Session) -> Response:
        match request.method:
            case "GET":
                (shown,) = await self.lister.shown([session], request.head.root_path)
                return json_answer(shown)
            case "PATCH":
                await self._change(session, json_body(request, Change))
                return json_answer(json_of(session, request.head.root_path))
            case "DELETE":
                self.actions.forget(session)
                return Response(204, b"", "")
        return _not_allowed("GET, PATCH, DELETE")

    async def _change(self, session: Session, wanted: Change) -> None:
        if wanted.label is None and wanted.r_version is None:
            raise BadBody("expected label or r_version")
        if wanted.r_version is not None:
            await self.actions.choose_r(session, wanted.r_version)
        if wanted.label is not None:
            self.actions.rename(session, wanted.label)

    async def _act(self, request: Request, session: Session, action: str) -> Response:
        control = self.actions.control
        match action:
            case "suspend":
                await self.actions.suspend(session, force=json_body(request, Suspend).force)
            case "resume":
                body = json_body(request, Resume)
                choices = StartChoices(body.run_rprofile, body.restore, body.create_project, body.in_project)
                await self.actions.resume(session, choices, server_url(request.head))
            case "quit":
                if await self.actions.quit(session, json_body(request, Quit).save):
                    await self.actions.quit(session, "no")
            case "kill":
                await control.kill(session)
        return json_answer(json_of(session, request.head.root_path), 202)


def _not_allowed(methods: str) -> Response:
    answer = rpc_error(NOT_A_REQUEST, "The method is not allowed here.", 405)
    return replace(answer, headers=(("Allow", methods),))

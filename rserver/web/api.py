"""REST of sessions, below /api/sessions. The front has checked the CSRF header."""

from dataclasses import dataclass, replace

import msgspec

from rserver.master_client import MasterError
from rserver.sessions.control import SessionControl
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.table import SessionTable
from rserver.web.request import Identity, Request, Response
from rserver.web.responses import INTERNAL, NOT_A_REQUEST, NOT_SIGNED_IN, UNAVAILABLE, json_answer, rpc_error
from rserver.web.session_view import json_of, no_such_session, server_url, url_of

SESSIONS = "/api/sessions"
_SIGNALS = {"quit": "TERM", "kill": "KILL"}
_STATUS = {"unknown_session": (404, 14), "timeout": (504, UNAVAILABLE), "closed": (503, UNAVAILABLE)}


class Resume(msgspec.Struct, frozen=True):
    """Body of POST …/resume."""

    run_rprofile: bool = True
    restore: bool = True


@dataclass(slots=True)
class SessionsApi:
    """Answers for /api/sessions and below."""

    control: SessionControl

    @property
    def table(self) -> SessionTable:
        """All sessions."""
        return self.control.table

    async def handle(self, request: Request) -> Response:
        """Any request to /api/sessions…"""
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        rest = request.path.removeprefix(SESSIONS).strip("/")
        if not rest:
            return self._collection(request, request.identity)
        session_id, _, action = rest.partition("/")
        session = self.table.find(session_id, request.identity.user, request.identity.uid)
        if session is None:
            return no_such_session()
        return await self._member(request, session, action)

    def _collection(self, request: Request, identity: Identity) -> Response:
        root = request.head.root_path
        match request.method:
            case "GET":
                own = self.table.of_user(identity.user, identity.uid)
                return json_answer({"sessions": [json_of(session, root) for session in own]})
            case "POST":
                session = self.table.one_of_user(identity.user, identity.uid)
                self.control.want(session, server_url(request.head))
                return json_answer({"id": session.id, "url": url_of(session.id, root)}, 201)
        return _not_allowed("GET, POST")

    async def _member(self, request: Request, session: Session, action: str) -> Response:
        if not action:
            shown = request.method == "GET"
            return json_answer(json_of(session, request.head.root_path)) if shown else _not_allowed("GET")
        if action != "resume" and action not in _SIGNALS:
            return rpc_error(NOT_A_REQUEST, "There is no such action.", 404)
        if request.method != "POST":
            return _not_allowed("POST")
        return self._resume(request, session) if action == "resume" else await self._signal(request, session, action)

    def _resume(self, request: Request, session: Session) -> Response:
        try:
            body = msgspec.json.decode(request.body or b"{}", type=Resume)
        except msgspec.MsgspecError as error:
            return rpc_error(NOT_A_REQUEST, f"The body is not acceptable: {error}", 400)
        self.control.resume(session, StartChoices(body.run_rprofile, body.restore), server_url(request.head))
        return json_answer(json_of(session, request.head.root_path), 202)

    async def _signal(self, request: Request, session: Session, action: str) -> Response:
        if session.status.record is None:
            return json_answer(json_of(session, request.head.root_path), 202)
        try:
            await self.control.signal(session, _SIGNALS[action])
        except MasterError as error:
            status, code = _STATUS.get(error.code, (500, INTERNAL))
            return rpc_error(code, error.message, status)
        return json_answer(json_of(session, request.head.root_path), 202)


def _not_allowed(methods: str) -> Response:
    answer = rpc_error(NOT_A_REQUEST, "The method is not allowed here.", 405)
    return replace(answer, headers=(("Allow", methods),))

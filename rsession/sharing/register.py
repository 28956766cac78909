"""Puts sharing into a session."""

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Param
from rsession.services.background import Background, in_thread
from rsession.services.user_path import absolute_path
from rsession.sharing.leaving import Leaving
from rsession.sharing.looking import Looker
from rsession.sharing.people import Directory, Person, person_of_uid
from rsession.sharing.server_line import ServerLine
from rsession.sharing.sharing import Sharing
from rsession.sharing.terms import Terms, terms_of

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings
    from rsession.services.documents import Documents
    from rsession.session import Session

_MOST_QUERY, _MOST_MEMBERS = 256, 200
_HIDDEN = "The list of users is hidden on this server. Type account names exactly as they are."
_ONE_USER = "Only one user works with this server: there is nobody to share a project with."
_OFF = "Sharing of projects is switched off on this server, or its log says why it cannot be done."
_NO_ACCOUNT = "Your account is not known on this machine, so nothing can be shared."


def register(
    session: "Session", settings: "RsessionSettings", documents: "Documents", background: Background = in_thread
) -> None:
    """Enter the methods, and begin to look; once, after the project was opened and presence registered."""
    leaving = Leaving(session, documents, background)
    terms, own = terms_of(session.environment), person_of_uid(os.getuid())
    methods = SharingMethods(session, leaving, background, settings)
    if terms is not None and own is not None:
        methods.start(terms, own)
    methods.add()
    session.add_to_client_init("sharing", methods.state)
    session.add_to_client_init("sharing_revoked", leaving.described)


class SharingMethods:
    """The RPC methods, which also answer where nothing is shared."""

    def __init__(
        self, session: "Session", leaving: Leaving, background: Background, settings: "RsessionSettings"
    ) -> None:
        self._session, self._leaving, self._background, self._settings = session, leaving, background, settings
        self._sharing: Sharing | None = None
        self._directory: Directory | None = None

    def start(self, terms: Terms, own: Person) -> None:
        """Projects are shared here."""
        session, settings = self._session, self._settings
        line = ServerLine(session.clock, terms.socket, settings.session_id)  # type: ignore[arg-type]
        looker = Looker(terms, settings.server_uid, own, session.environment.get("HOME", "/"))
        lists = settings.project_sharing_enumerate_server_users
        self._sharing = Sharing(
            session, looker, line, self._leaving, self._background, own, lists_people=lists, folder=terms.folder
        )
        self._directory = Directory(terms, os.getuid())
        self._sharing.begin()

    def state(self) -> dict[str, object]:
        """From memory."""
        if self._sharing is not None:
            return self._sharing.described()
        nothing: dict[str, object] = {"owner": None, "mine": False, "members": [], "lists_people": False}
        return {"supported": False, "reason": self._why_not(), **nothing, "progress": None, "unfinished": None}

    def _why_not(self) -> str:
        if self._settings.server_uid in {-1, os.getuid()}:
            return _ONE_USER
        return _NO_ACCOUNT if person_of_uid(os.getuid()) is None else _OFF

    def add(self) -> None:
        """Enter them into the session's table."""
        self._add_reading()
        self._add_changing()
        self._add_leaving()

    def _add_reading(self) -> None:
        rpc = self._session.rpc

        @rpc.method("sharing_state", is_use=False)
        def sharing_state() -> "Deferred[dict[str, object]]":
            """Who shares the open project, and what stands against sharing it."""
            looked = self._sharing.look() if self._sharing is not None else succeed(None)
            return looked.addCallback(lambda _: self.state())

        @rpc.method("shared_with_me", is_use=False)
        def shared_with_me() -> "Deferred[dict[str, object]]":
            """`{"projects"}`: those that others share with the user."""
            if self._sharing is None:
                return succeed({"projects": []})
            sharing = self._sharing
            return sharing.look().addCallback(lambda _: {"projects": sharing.others()})

        @rpc.method("sharing_find_people", Param("query", "string"), Param("limit", "integer", default=20))
        def sharing_find_people(query: str, limit: int) -> "Deferred[dict[str, object]]":
            """`{"people", "reason"}`: accounts with which a project could be shared."""
            return self._found(query, limit)

    def _add_changing(self) -> None:
        rpc = self._session.rpc

        @rpc.method("sharing_set_members", Param("members", "any", doc="list of account names"))
        def sharing_set_members(members: object) -> "Deferred[dict[str, int]]":
            """Exactly these are members of the open project then: `{"operation"}` as soon as it has begun."""
            return self._able().set_members(_names(members))

        @rpc.method("sharing_leave")
        def sharing_leave() -> "Deferred[dict[str, int]]":
            """Be no member of the open project any more: `{"operation"}`."""
            return self._able().leave()

        @rpc.method("sharing_cancel")
        def sharing_cancel() -> "Deferred[None]":
            """Stop the change under way; what was done stays and can be completed or taken back."""
            return self._able().cancel().addCallback(lambda _: None)

    def _add_leaving(self) -> None:
        rpc = self._session.rpc

        @rpc.method("sharing_save_copies", Param("folder", "string"))
        def sharing_save_copies(folder: str) -> "Deferred[dict[str, object]]":
            """After `sharing_revoked`: write unsaved texts of that project to another folder."""
            return self._leaving.save(str(absolute_path(folder, self._session.environment.get("HOME", "/"))))

        @rpc.method("sharing_revoked_seen")
        def sharing_revoked_seen() -> None:
            """The user knows; the field of client_init is null from now on."""
            self._leaving.is_seen = True

        # The server tells it while the project can still be touched, and waits for the answer.
        @rpc.method("sharing_leave_project", Param("by", "string"), open_to_strangers=True, is_use=False)
        def sharing_leave_project(by: str) -> None:
            """The user may not use the open project any more: close it. Refused for the user's own."""
            self._able().withdrawn(by)

    def _able(self) -> Sharing:
        if self._sharing is None:
            raise RpcError(ErrorCode.PARAM_INVALID, self._why_not())
        return self._sharing

    def _found(self, query: str, limit: int) -> "Deferred[dict[str, object]]":
        if len(query) > _MOST_QUERY or not 0 < limit <= 1000:
            raise RpcError(ErrorCode.PARAM_INVALID, f"query has at most {_MOST_QUERY} characters, limit is above 0")
        self._able()
        assert self._directory is not None
        if self._settings.project_sharing_enumerate_server_users:
            return self._background(self._directory.find, query, limit).addCallback(_described)
        return self._background(self._directory.exactly, query).addCallback(
            lambda found: {**_described([found] if found else []), "reason": _HIDDEN}
        )


def _described(found: list[Person]) -> dict[str, object]:
    return {"people": [each.described() for each in found], "reason": ""}


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _MOST_MEMBERS or not all(isinstance(name, str) for name in value):
        raise RpcError(ErrorCode.PARAM_TYPE, f"parameter members must be a list of at most {_MOST_MEMBERS} names")
    return value

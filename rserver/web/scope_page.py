"""Pages for addresses of sessions that do not exist: what is wrong with them, and where to go instead."""

from dataclasses import dataclass

from rserver.sessions.user_actions import UserActions
from rserver.web.error_page import UNKNOWN_SESSION
from rserver.web.request import Identity, RequestHead, Response
from rserver.web.responses import html
from rserver.web.session_view import url_of
from rserver.web.templates import Html, Templates
from rserver_core.project_path import project_name
from rserver_core.session_id import NO_PROJECT, SessionId, owner_digits


@dataclass(slots=True)
class ScopePage:
    """Tells a signed-in user about own sessions and projects only; all else is unknown."""

    actions: UserActions
    templates: Templates

    def show(self, head: RequestHead, session_id: str = "", identity: Identity | None = None) -> Response:
        """404 for an address that leads to no session of this person."""
        title, cause, link = "No such session", UNKNOWN_SESSION, ""
        wanted = SessionId.parse(session_id)
        if wanted is not None and identity is not None and wanted.owner == owner_digits(identity.uid):
            title, cause, link = self._known(wanted, identity, head) or (title, cause, link)
        page = self.templates.render("no_session", base=head.root_path + "/", title=title, cause=cause, link=Html(link))
        return html(page, 404)

    def _known(self, wanted: SessionId, identity: Identity, head: RequestHead) -> tuple[str, str, str] | None:
        session = self.actions.table.elsewhere(str(wanted), identity.user, identity.uid)
        row = self.actions.projects.find(identity.user, identity.uid, wanted.project)
        if session is not None:
            where = f"to the project {project_name(session.project)}" if session.project else "to no project"
            cause = f"This address names another project. The session “{session.title}” belongs {where}."
            return "Wrong project", cause, self._link(url_of(session.id, head.root_path), "Open the session")
        if row is not None:
            cause = f"There is no such session of the project {project_name(row.path)} ({row.path}) any more."
            return "No such session", cause, self._link(head.root_path + "/home", "Open the project anew")
        if wanted.project != NO_PROJECT:
            return "No such project", f"You have no project with this address. {UNKNOWN_SESSION}", ""
        return None

    def _link(self, url: str, words: str) -> str:
        return self.templates.part("button_link", url=url, words=words)

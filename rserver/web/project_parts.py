"""What the page of all sessions shows of projects: a field of the form for a new session, and the recent ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from rserver.sessions.recent_projects import RecentProject, recent_projects
from rserver.sessions.user_actions import NOT_ACCEPTABLE, Refused, UserActions
from rserver.web.request import Identity, RequestHead
from rserver.web.session_view import url_of
from rserver.web.templates import Html, Templates

OTHER = "other"


@dataclass(slots=True)
class ProjectParts:
    """Parts of the home page."""

    actions: UserActions
    templates: Templates

    def choice(self, identity: Identity) -> Html:
        """Fields of the form for a new session."""
        options = "".join(
            f'<option value="{escape(project.row.path)}">{escape(project.name)} — {escape(project.row.path)}</option>'
            for project in self._recent(identity)
            if not project.is_gone
        )
        return self.templates.part("home_project_choice", options=Html(options), other=OTHER)

    def recent(self, identity: Identity, token: str, head: RequestHead) -> Html:
        """The list of recent projects; nothing when there are none."""
        rows = [self._row(project, head) for project in self._recent(identity)]
        if not rows:
            return Html("")
        base = head.root_path + "/"
        return self.templates.part("home_projects", rows=Html("".join(rows)), csrf_token=token, base=base)

    def strike(self, identity: Identity, project_id: str) -> None:
        """Take a project off the list."""
        row = self.actions.projects.find(identity.user, identity.uid, project_id)
        if row is not None:
            self.actions.projects.strike(row)

    def path_of(self, identity: Identity, project_id: str) -> str:
        """The folder that an id stands for; Refused."""
        row = self.actions.projects.find(identity.user, identity.uid, project_id)
        if row is None:
            raise Refused(NOT_ACCEPTABLE, "There is no such project any more.")
        return row.path

    def _recent(self, identity: Identity) -> list[RecentProject]:
        return recent_projects(self.actions.projects, self.actions.table, identity.user, identity.uid)

    def _row(self, project: RecentProject, head: RequestHead) -> str:
        return self.templates.part(
            "home_project",
            id=project.row.id,
            title=project.name,
            path=project.row.path,
            gone="gone" if project.is_gone else "",
            state=Html('<span class="state state-gone">Gone</span>' if project.is_gone else ""),
            problem=Html(f'<p class="cause">{escape(project.refusal)}</p>' if project.refusal else ""),
            sessions=Html(", ".join(self._link(project, head))),
        )

    def _link(self, project: RecentProject, head: RequestHead) -> list[str]:
        return [
            f'<a href="{escape(url_of(session.id, head.root_path))}"><bdi>{escape(session.title)}</bdi></a>'
            for session in project.sessions
        ]


def chosen_project(fields: Mapping[str, str]) -> str:
    """The path in the form for a new session; empty: no project. Refused."""
    chosen = fields.get("project", "")
    if chosen != OTHER:
        return chosen
    path = fields.get("project_path", "").strip()
    if not path:
        raise Refused(NOT_ACCEPTABLE, "Give the path of the project's folder.")
    return path

"""REST of recent projects, below /api/projects. The front has checked the CSRF header."""

from dataclasses import dataclass, replace

from rserver.sessions.recent_projects import RecentProject, recent_projects
from rserver.sessions.user_actions import UserActions
from rserver.web.request import Identity, Request, Response
from rserver.web.responses import NOT_A_REQUEST, NOT_SIGNED_IN, json_answer, rpc_error
from rserver.web.session_view import json_of

PROJECTS = "/api/projects"


@dataclass(slots=True)
class ProjectsApi:
    """Answers for /api/projects and below."""

    actions: UserActions

    def handle(self, request: Request) -> Response:
        """GET the list, DELETE one of it."""
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        project_id = request.path.removeprefix(PROJECTS).strip("/")
        if project_id:
            return self._member(request, request.identity, project_id)
        if request.method != "GET":
            return _not_allowed("GET")
        identity = request.identity
        recent = recent_projects(self.actions.projects, self.actions.table, identity.user, identity.uid)
        shown = [_json_of(project, request.head.root_path) for project in recent]
        return json_answer({"projects": shown, "multiple": self.actions.multiple})

    def _member(self, request: Request, identity: Identity, project_id: str) -> Response:
        if request.method != "DELETE":
            return _not_allowed("DELETE")
        row = self.actions.projects.find(identity.user, identity.uid, project_id)
        if row is None:
            return rpc_error(NOT_A_REQUEST, "There is no such project.", 404)
        self.actions.projects.strike(row)
        return Response(204, b"", "")


def _json_of(project: RecentProject, root_path: str) -> dict[str, object]:
    return {
        "id": project.row.id,
        "path": project.row.path,
        "name": project.name,
        "opened": project.row.opened,
        "gone": project.is_gone,
        "problem": project.refusal or None,
        "sessions": [json_of(session, root_path) for session in project.sessions],
    }


def _not_allowed(methods: str) -> Response:
    answer = rpc_error(NOT_A_REQUEST, "The method is not allowed here.", 405)
    return replace(answer, headers=(("Allow", methods),))

"""REST of projects that others share with the user, below /api/shared-projects. The front checks the CSRF header."""

from dataclasses import asdict, dataclass, replace
from urllib.parse import unquote

from rserver.sharing.composition import SharedHouse
from rserver.sharing.refused import UNAVAILABLE, ShareRefused
from rserver.web.request import Identity, Request, Response
from rserver.web.responses import NOT_A_REQUEST, NOT_SIGNED_IN, json_answer, rpc_error
from rserver_core.project_path import project_name
from rserver_core.shared_project_folder import Known

SHARED_PROJECTS = "/api/shared-projects"


@dataclass(frozen=True, slots=True)
class SharedWithUser:
    """A project of somebody else, as pages show it. shared_at: seconds since 1970."""

    id: str
    name: str
    project_dir: str
    owner: str
    owner_full_name: str
    shared_at: float


@dataclass(slots=True)
class SharedProjectsApi:
    """Answers for /api/shared-projects and below."""

    house: SharedHouse

    async def handle(self, request: Request) -> Response:
        """GET the list, DELETE one of it: leave that project."""
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        rest = request.path.removeprefix(SHARED_PROJECTS).strip("/")
        if rest:
            return await self._leave(request, request.identity, rest)
        if request.method != "GET":
            return _not_allowed("GET")
        return json_answer({"projects": [asdict(each) for each in await self.listed(request.identity)]})

    async def listed(self, identity: Identity) -> list[SharedWithUser]:
        """The projects of others of which somebody is a member, the newest first."""
        if not self.house.is_on:
            return []
        await self.house.sharing.known.refresh()
        return [await self._shown(known, identity.user) for known in self._of(identity)]

    async def leave(self, identity: Identity, owner: str, project_id: str) -> bool:
        """The user is no member of that project any more; False: was none. ShareRefused."""
        for known in self._of(identity):
            if (known.project.owner, known.project.id) == (owner, project_id):
                await self.house.sharing.leave(identity.user, known.project.folder)
                return True
        return False

    def _of(self, identity: Identity) -> list[Known]:
        return self.house.sharing.known.shared_with(identity.user)

    async def _shown(self, known: Known, user: str) -> SharedWithUser:
        project = known.project
        try:
            full_name = await self.house.sharing.people.full_name(project.owner)
        except ShareRefused:
            full_name = ""
        return SharedWithUser(
            project.id,
            project_name(project.folder),
            project.folder,
            project.owner,
            full_name or project.owner,
            project.shared[user],
        )

    async def _leave(self, request: Request, identity: Identity, rest: str) -> Response:
        if request.method != "DELETE":
            return _not_allowed("DELETE")
        owner, _, project_id = unquote(rest).rpartition("/")
        try:
            if not await self.leave(identity, owner, project_id):
                return rpc_error(NOT_A_REQUEST, "No such project is shared with you.", 404)
        except ShareRefused as error:
            return rpc_error(error.code, str(error), 503 if error.code == UNAVAILABLE else 409)
        return Response(204, b"", "")


def _not_allowed(methods: str) -> Response:
    answer = rpc_error(NOT_A_REQUEST, "The method is not allowed here.", 405)
    return replace(answer, headers=(("Allow", methods),))

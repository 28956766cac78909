"""What the page of all sessions shows of projects that others share with its user."""

from dataclasses import dataclass
from datetime import UTC, datetime

from rserver.sessions.user_actions import NOT_ACCEPTABLE, Refused
from rserver.sharing.refused import ShareRefused
from rserver.web.request import Identity, RequestHead
from rserver.web.shared_projects_api import SharedProjectsApi, SharedWithUser
from rserver.web.templates import Html, Templates

_GONE = "That project is not shared with you any more."


@dataclass(slots=True)
class SharedParts:
    """Parts of the home page."""

    api: SharedProjectsApi
    templates: Templates

    async def section(self, identity: Identity, token: str, head: RequestHead) -> Html:
        """The place of the list, which the page's script keeps fresh; empty when nothing is shared."""
        shared = await self.api.listed(identity)
        base = head.root_path + "/"
        rows = Html("".join(self._row(each, token, base) for each in shared))
        if not rows:
            return self.templates.part("home_shared", projects=Html(""))
        return self.templates.part("home_shared", projects=self.templates.part("home_shared_projects", rows=rows))

    async def folder_of(self, identity: Identity, key: str) -> str:
        """The folder that a key on the page stands for; Refused."""
        for each in await self.api.listed(identity):
            if _key(each) == key:
                return each.project_dir
        raise Refused(NOT_ACCEPTABLE, _GONE)

    async def leave(self, identity: Identity, key: str) -> None:
        """The user is no member any more; Refused."""
        owner, _, project_id = key.rpartition("/")
        try:
            if not await self.api.leave(identity, owner, project_id):
                raise Refused(NOT_ACCEPTABLE, _GONE)
        except ShareRefused as error:
            raise Refused(NOT_ACCEPTABLE, str(error)) from None

    def _row(self, project: SharedWithUser, token: str, base: str) -> str:
        return self.templates.part(
            "home_shared_project",
            key=_key(project),
            id=project.id,
            title=project.name,
            owner=project.owner_full_name,
            path=project.project_dir,
            when=f"{datetime.fromtimestamp(project.shared_at, UTC):%Y-%m-%d %H:%M} UTC",
            csrf_token=token,
            base=base,
        )


def _key(project: SharedWithUser) -> str:
    return f"{project.owner}/{project.id}"

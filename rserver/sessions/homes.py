"""From a project's path as its user typed it to a folder, without looking at any home directory."""

from dataclasses import dataclass

from rserver.accounts import Accounts
from rserver.worker_threads import ThreadsBusy, ThreadTimeout
from rserver_core.project_path import BadPath, needs_home, project_folder


@dataclass(slots=True)
class Homes:
    """The account database says where a home directory is."""

    accounts: Accounts

    async def folder(self, user: str, text: str) -> str:
        """The absolute path; BadPath."""
        return project_folder(text, await self._home(user) if needs_home(text) else "")

    async def _home(self, user: str) -> str:
        try:
            account = await self.accounts.get(user)
        except (ThreadsBusy, ThreadTimeout):
            raise BadPath("The account database does not answer. Give the path from / on.") from None
        if account is None:
            raise BadPath(f"There is no account {user}.")
        return account.home

"""What sessions can ask for: each request is checked against what the server itself knows of who asks."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rserver.accounts import Accounts
from rserver.sessions.session import Session
from rserver.sharing.door import Tell
from rserver.sharing.people import checked_names
from rserver.sharing.refused import UNAVAILABLE, ShareRefused
from rserver.sharing.sharing import Done, Listener, Sharing
from rserver.sign_in.policy import Account
from rserver.worker_threads import ThreadsBusy, ThreadTimeout
from rserver_core.frame import Message
from rserver_core.project_path import ENDING
from rserver_core.shared_project import MAX_PATH

_Operation = Callable[[Session, str, Message, Tell], Awaitable[Message]]


@dataclass(slots=True)
class SessionRequests:
    """user and uid are those of the session's process, as the kernel and our table say; all else is a claim."""

    sharing: Sharing
    accounts: Accounts

    async def answer(self, session: Session, message: Message, tell: Tell) -> Message:
        """The result of one request. ShareRefused."""
        operations: dict[str, _Operation] = {
            "share_members": self._set_members,
            "share_leave": self._leave,
            "share_cancel": self._cancel,
            "share_state": self._state,
        }
        operation = operations.get(str(message.get("op")))
        folder = message.get("project_dir")
        if operation is None:
            raise ShareRefused("There is no such request.")
        if not isinstance(folder, str) or not folder.startswith("/") or len(folder) > MAX_PATH:
            raise ShareRefused("project_dir must be the path of the project.")
        return await operation(session, folder, message, tell)

    async def _set_members(self, session: Session, folder: str, message: Message, tell: Tell) -> Message:
        names = checked_names(message.get("members"))
        owner = await self._account(session)
        file = _file_in(folder, message.get("project_file"))
        return _json_of(await self.sharing.set_members(owner, folder, names, _listener(tell), file))

    async def _leave(self, session: Session, folder: str, _: Message, tell: Tell) -> Message:
        await self._account(session)
        return _json_of(await self.sharing.leave(session.user, folder, _listener(tell)))

    async def _cancel(self, session: Session, folder: str, *_: object) -> Message:
        self.sharing.cancel(session.user, folder)
        return {}

    async def _state(self, session: Session, folder: str, *_: object) -> Message:
        """Whether the user is one of its people, or who took it away."""
        known = self.sharing.known.in_folder(folder, session.user)
        by = self.sharing.farewells.who(session.user, folder) if known is None else ""
        return {"owner": known.project.owner if known is not None else None, "by": by}

    async def _account(self, session: Session) -> Account:
        try:
            account = await self.accounts.get(session.user)
        except (ThreadsBusy, ThreadTimeout):
            raise ShareRefused("The account database of this machine does not answer.", UNAVAILABLE) from None
        if account is None or account.uid != session.uid:
            raise ShareRefused("The account of this session is not there any more.")
        return account


def _file_in(folder: str, claimed: object) -> str:
    """The name of a project file in the folder; anything else is not told to anybody."""
    if not isinstance(claimed, str) or not claimed.isprintable() or len(claimed.encode()) > MAX_PATH:
        return ""
    is_there = os.path.dirname(claimed) == folder and claimed.endswith(ENDING)
    return claimed if is_there and os.path.normpath(claimed) == claimed else ""


def _listener(tell: Tell) -> Listener:
    return Listener(
        lambda: tell({"event": "begun"}),
        lambda done, total: tell({"event": "progress", "done": done, "total": total}),
    )


def _json_of(done: Done) -> Message:
    return {"members": list(done.members), "skipped": done.skipped, "skipped_paths": list(done.paths)}

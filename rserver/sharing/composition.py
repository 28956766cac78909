"""Puts sharing together from what the worker has."""

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.accounts import Accounts
from rserver.clock import Clock
from rserver.sessions.session import Session
from rserver.sessions.user_actions import UserActions
from rserver.sharing.door import Door
from rserver.sharing.farewells import AskToLeave, Farewells
from rserver.sharing.known_projects import KnownProjects
from rserver.sharing.people import People
from rserver.sharing.project_files import CannotKeep, ProjectFiles
from rserver.sharing.refused import ShareRefused
from rserver.sharing.requests import SessionRequests
from rserver.sharing.sharing import AclMaster, Sharing
from rserver.sign_in.policy import Account
from rserver.web.request import Identity
from rserver.worker_threads import WorkerThreads

_log = Logger()


@dataclass(slots=True)
class SharedHouse:
    """Sharing on this server, and what the rest of the worker asks it."""

    sharing: Sharing
    actions: UserActions
    requests: SessionRequests
    is_on: bool = False
    door: Door | None = None

    async def begin(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        """Read what is shared, and let sessions ask. Where that fails nothing is shared, and the log says why."""
        try:
            await self.sharing.known.begin()
        except (CannotKeep, ShareRefused) as error:
            _log.error("projects cannot be shared: {reason}", reason=str(error))
            sock.close()
            return
        self.is_on = True
        self.door = Door(loop, self.actions.table, self.requests.answer)
        await Deferred.fromFuture(asyncio.ensure_future(self.door.listen(sock), loop=loop))

    def may_join(self, identity: Identity, own: Session, host: Session) -> bool:
        """Whether a text that one session keeps is for another: both have one project open, of which both are people.

        Of a folder that nobody shares here, as one of a group, the host's session sees to the rights alone.
        """
        folder = folder_of(self.actions, host)
        if not folder or folder_of(self.actions, own) != folder:
            return False
        if host.user == identity.user or not self.sharing.known.shared_in(folder):
            return True
        known = self.sharing.known.in_folder(folder, identity.user)
        return known is not None and known.project.is_for(host.user)

    def id_of(self, user: str, folder: str) -> str:
        """The digits that stand for a folder that is shared with this user, or by them; empty for another one."""
        known = self.sharing.known.in_folder(folder, user)
        return known.project.id if known is not None else ""

    def environment(self) -> Mapping[str, str]:
        """What sessions are told of sharing."""
        if not self.is_on:
            return {}
        settings, policy = self.actions.settings, self.actions.settings.policy
        told = {
            "folder": self.sharing.known.path,
            "root": settings.server_project_sharing_root_dir,
            "minimum_uid": policy.minimum_uid,
            "groups": sorted(policy.required_groups),
        }
        socket_path = os.path.join(settings.server_data_dir, "rpc.sock")
        return {"RS_SERVER_RPC_SOCKET_PATH": socket_path, "RS_SHARING": json.dumps(told)}


def folder_of(actions: UserActions, session: Session) -> str:
    """Where the project of a session lies, as far as its user has let us know; empty without a project."""
    if not session.project:
        return ""
    row = actions.projects.find(session.user, session.uid, session.project_id)
    return row.real if row is not None and row.real else session.project


def build_sharing(
    clock: Clock, files: WorkerThreads, master: AclMaster, accounts: Accounts, actions: UserActions, ask: AskToLeave
) -> SharedHouse:
    """Not begun yet."""
    people = People(accounts, lambda: actions.settings.policy)
    known = KnownProjects(ProjectFiles(actions.settings.shared_storage), os.getuid(), clock, files, people)
    farewells = Farewells(clock, actions.table, ask, lambda session: folder_of(actions, session))

    def new_id(owner: Account, folder: str) -> str:
        return actions.projects.of_folder(owner.name, owner.uid, folder).id

    sharing = Sharing(master, known, people, farewells, new_id)
    house = SharedHouse(sharing, actions, SessionRequests(sharing, accounts))
    actions.projects.known_id = house.id_of
    return house

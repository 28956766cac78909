"""The door put together from what the worker has for browsers."""

from pathlib import Path
from typing import TYPE_CHECKING

from rserver.remote import signing_keys
from rserver.remote.access_tokens import AccessTokens
from rserver.remote.door import RemoteDoor
from rserver.remote.gate import RemoteGate
from rserver.remote.pages import RemotePages
from rserver.remote.sessions import RemoteSessions
from rserver.remote.sign_in import ProgramSignIn
from rserver.remote.status import ServerStatus
from rserver.remote.tokens import TokenPairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from rserver.composition import Worker
    from rserver.proxy.data_plane import Begin
    from rserver.proxy.services import Services
    from rserver.surroundings import Surroundings


async def build_door(worker: "Worker", around: "Surroundings", *, tls: bool) -> "Callable[[Services], Begin]":
    """What makes the door; OSError, ValueError when its keys cannot be had. tls: programs speak it to us."""
    life = worker.settings.remote_token_seconds
    directory, now = Path(worker.settings.server_lib_dir, "db"), around.now
    keys = await around.threads.files.run(lambda: signing_keys.current(directory, int(now()), life))
    tokens = TokenPairs(AccessTokens(keys, life, now), worker.store, now)
    await tokens.restore()
    sessions = RemoteSessions(worker.actions, worker.saver, around.clock, around.ask_activity)
    owner = worker.gate.single_user.owner if worker.gate.single_user else None
    sign_in = ProgramSignIn(worker.flow, owner, worker.settings.auth_token)
    status = ServerStatus(worker.control.table, lambda: True)
    gate = RemoteGate(tokens, sessions, worker.gate.accounts, around.loop)
    pages = RemotePages(tokens, sign_in, sessions, status, around.loop)
    return lambda services: RemoteDoor(services, gate, pages, tls=tls).begin

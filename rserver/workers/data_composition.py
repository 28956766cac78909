"""A data worker's collaborators, made from the master's greeting."""

import asyncio
from typing import Any

from rserver.composition import owner_of, signer_of
from rserver.settings import WorkerSettings
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.peer_uid import uid_of_peer
from rserver.sign_in.single_user import SingleUser
from rserver.workers.data_worker import DataWorker


async def build_data_worker(
    loop: asyncio.AbstractEventLoop, greeting: dict[str, Any], ports: tuple[int, ...]
) -> DataWorker:
    """Connected to control; fails with SettingsError."""
    settings = WorkerSettings.from_options(greeting.get("options", {}))
    credentials = Credentials(signer_of(greeting), settings.cookie_life, settings.cookie_style)
    owner = owner_of(greeting)
    single_user = SingleUser(owner, lambda peer: uid_of_peer(peer, ports)) if owner else None
    worker = DataWorker(loop, settings, credentials, signer_of, single_user, greeting["control"])
    await worker.start()
    return worker

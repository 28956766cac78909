"""Runs R on a server: sign in, run code in sessions, move objects and files.

with Client("https://r.example.org:12800", "alice", password) as client, client.new_session() as session:
    print(session.run("summary(cars)").output)
"""

from rserver_client.async_client import AsyncClient, AsyncSession
from rserver_client.client import Client, Session
from rserver_client.errors import Ended, NotAllowed, NotFound, NotSignedIn, RCodeError, RemoteError, Unreachable
from rserver_client.results import Execution, SessionInfo

__all__ = [
    "AsyncClient",
    "AsyncSession",
    "Client",
    "Ended",
    "Execution",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "RCodeError",
    "RemoteError",
    "Session",
    "SessionInfo",
    "Unreachable",
]

"""The listening socket that the keeper bound and gave us."""

import fcntl
import os
import socket
import stat
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.unix import Port, Server

from rsession.open_files import LOW_DESCRIPTORS


def _move_up(connection: socket.socket) -> socket.socket:
    try:
        descriptor = fcntl.fcntl(connection.fileno(), fcntl.F_DUPFD_CLOEXEC, LOW_DESCRIPTORS)
    except OSError:
        return connection  # the limit of open files is as low: no descriptor of this process can be too high for R
    with connection:
        moved = socket.socket(connection.family, connection.type, connection.proto, descriptor)
        moved.setblocking(False)
        return moved


class HighServer(Server):
    """A connection whose descriptor is out of R's way."""

    def __init__(self, sock: socket.socket, *arguments: Any) -> None:
        super().__init__(_move_up(sock), *arguments)  # type: ignore[no-untyped-call]


class KeepersPort(Port):
    """Leaves the access rights of the socket's file as they are; Twisted's adoptStreamPort opens it to everybody."""

    transport = HighServer

    def __init__(self, path: bytes, factory: IProtocolFactory, reactor: EPollReactor) -> None:
        super().__init__(path, factory, mode=stat.S_IMODE(os.stat(path).st_mode), reactor=reactor)

"""The listening socket that the keeper bound and gave us."""

import os
import stat

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.unix import Port


class KeepersPort(Port):
    """Leaves the access rights of the socket's file as they are; Twisted's adoptStreamPort opens it to everybody."""

    def __init__(self, path: bytes, factory: IProtocolFactory, reactor: EPollReactor) -> None:
        super().__init__(path, factory, mode=stat.S_IMODE(os.stat(path).st_mode), reactor=reactor)

"""The listening Unix socket of one session, made before its process so that early connections wait in the backlog."""

import contextlib
import os
import socket

from rserver_process.accounts import Account

_BACKLOG = 1024


class SessionSocket:
    """Listens at path: mode 0660, owned by the account and the server's group; without root 0600 and ours."""

    def __init__(self, path: str, account: Account, server_gid: int) -> None:
        self.path = path
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        former = os.umask(0o177)
        try:
            self._sock.bind(path)
        finally:
            os.umask(former)
        found = os.lstat(path)
        self._identity = (found.st_dev, found.st_ino)
        if os.geteuid() == 0:
            os.chown(path, account.uid, server_gid)
            os.chmod(path, 0o660)
        self._sock.listen(_BACKLOG)

    def fileno(self) -> int:
        """The listening descriptor."""
        return self._sock.fileno()

    def close(self) -> None:
        """Let go of the descriptor: once the session's copy is closed too, connections are refused."""
        self._sock.close()

    def remove(self) -> None:
        """Close and unlink, unless a later session of the same id has put its own socket there."""
        self.close()
        with contextlib.suppress(FileNotFoundError):
            found = os.lstat(self.path)
            if (found.st_dev, found.st_ino) == self._identity:
                os.unlink(self.path)

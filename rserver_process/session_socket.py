"""The listening Unix socket of one session, made before its program runs: early connections wait."""

import contextlib
import os
import socket

from rserver_process.accounts import Account

_BACKLOG = 128


def listen(path: str, account: Account, server_gid: int) -> socket.socket:
    """A socket at path: mode 0660, owned by the account and the server's group; without root 0600 and ours."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    former = os.umask(0o177)
    try:
        sock.bind(path)
    except OSError as error:
        # The kernel's error does not say which file.
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.umask(former)
    # The session sets the time when it has saved its objects: it is the last thing its keeper learns of it.
    os.utime(path, (0, 0))
    if os.geteuid() == 0:
        os.chown(path, account.uid, server_gid)
        os.chmod(path, 0o660)
    sock.listen(_BACKLOG)
    return sock

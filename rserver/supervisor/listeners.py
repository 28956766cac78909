"""The listening TCP sockets: bound by the master, inherited by the worker, so that connects wait while it restarts."""

import errno
import os
import socket
import time
from pathlib import Path

from rserver.supervisor.directories import Owner
from rserver.supervisor.exit_codes import ExitCode, StartRefused

BACKLOG = 1024
_RETRY_SECONDS = 0.05


def bind(address: str, port: int, patience: float = 0.0, option: str = "www-address") -> list[socket.socket]:
    """Listening sockets for every address that the name stands for; option: who says so.

    patience: seconds to wait for a port that is in use, for a restart in which the last worker is about to let go.
    """
    return [_bind_one(family, where, patience) for family, where in _resolve(address, port, option)]


def _resolve(address: str, port: int, option: str) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    host = None if address in {"", "*"} else address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise StartRefused(ExitCode.CONFIGURATION, f"{option} {address}: {error.strerror}") from None
    unique = {(family, (str(where[0]), int(where[1]))) for family, _, _, _, where in found}
    return sorted(unique)


def _bind_one(family: socket.AddressFamily, where: tuple[str, int], patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            _listen(listener, where)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise _refused(where, error) from None
        time.sleep(_RETRY_SECONDS)


def _listen(listener: socket.socket, where: tuple[str, int]) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(where)
    listener.listen(BACKLOG)
    # nginx leaves inherited sockets as they are; of two processes woken for one connection the second would hang.
    listener.setblocking(False)


def _refused(where: tuple[str, int], error: OSError) -> StartRefused:
    shown = f"{where[0]}:{where[1]}"
    if error.errno == errno.EADDRINUSE:
        return StartRefused(ExitCode.PORT_IN_USE, f"{shown} is in use by another program")
    if error.errno == errno.EACCES:
        return StartRefused(
            ExitCode.CONFIGURATION, f"this account may not listen on {shown}: ports below 1024 need root"
        )
    return StartRefused(ExitCode.CONFIGURATION, f"cannot listen on {shown}: {error.strerror}")


def bind_private(path: Path, owner: Owner, mode: int = 0o600) -> socket.socket:
    """A listening socket that this account alone (and root) may connect to, or whom mode lets, in a folder of ours."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        previous = os.umask(0o777 & ~mode)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        os.chown(path, owner.uid, owner.gid)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartRefused(ExitCode.CONFIGURATION, f"{path} cannot be listened on: {error.strerror}") from None
    return listener

"""How a session that may be killed at any moment leaves word of its objects, also for when its keeper is gone."""

import contextlib
import os
import socket

LEFT_CODES = (101, 102)
"""Exit codes with which the objects are on the disk: suspended, and to be started again at once."""


def tell_keeper(listen_fd: int) -> None:
    """Set the time of the session's socket to now, when it last saved its objects; read when the session is gone."""
    _set(listen_fd, None)


def tell_end(listen_fd: int, status: int | None) -> None:
    """Set it to the exit code of a session that suspended or restarted itself, in seconds since 1970."""
    if status in LEFT_CODES:
        _set(listen_fd, (status, status))


def _set(listen_fd: int, times: tuple[int, int] | None) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listen_fd)) as listener:
        os.utime(listener.getsockname(), times)

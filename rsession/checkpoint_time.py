"""How a session that may be killed at any moment leaves word of its objects, also for when its keeper is gone."""

import contextlib
import os
import socket

LEFT_CODES = (101, 102)
"""Exit codes with which the objects are on the disk: suspended, and to be started again at once."""


_NOTHING_SAVED = 100
"""In the place of the time: objects were made, and none are on the disk."""


def tell_keeper(listen_fd: int, saved: float) -> None:
    """Set the time of the session's socket to when the objects were saved that would come back, 0: none were.

    It is read when the session is gone.
    """
    seconds = saved or _NOTHING_SAVED
    _set(listen_fd, (seconds, seconds))


def tell_end(listen_fd: int, status: int | None) -> None:
    """Set it to the exit code of a session that suspended or restarted itself, in seconds since 1970."""
    if status in LEFT_CODES:
        _set(listen_fd, (status, status))


def _set(listen_fd: int, times: tuple[float, float]) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listen_fd)) as listener:
        os.utime(listener.getsockname(), times)

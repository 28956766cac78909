"""How a session that may be killed at any moment leaves word when it last saved its objects."""

import contextlib
import os
import socket


def tell_keeper(listen_fd: int) -> None:
    """Set the time of the session's socket to now; its keeper reads it when the session is gone."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listen_fd)) as listener:
        os.utime(listener.getsockname())

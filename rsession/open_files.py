"""How many files this process may open, and the table that the kernel keeps of them."""

import fcntl
import os
import resource
from contextlib import suppress

MAX_CONNECTIONS = 1280
LOW_DESCRIPTORS = 1024
"""R waits with select(), which cannot name a descriptor from here on: those below are left to R."""


def raise_limit() -> int:
    """Raise the soft limit (1024 by custom) as far as is useful here; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    raised = max(soft, min(4 * MAX_CONNECTIONS, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised


def make_room() -> None:
    """Have the table grow now, while there is one thread: with two of them the kernel takes 10 ms for it."""
    raise_limit()
    with suppress(OSError):
        os.close(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, LOW_DESCRIPTORS))

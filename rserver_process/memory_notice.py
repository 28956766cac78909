"""Version 1 of control groups tells root alone when memory runs short: a descriptor for the session, set up by root.

The keeper makes it, the session inherits it, and the keeper has the kernel use it once the session runs: that takes the
kernel 10 ms, for which nobody should wait.
"""

import contextlib
import os

from rserver_core.memory_shares import WARN_SHARE
from rserver_process import kernel_files
from rserver_process.cgroup_places import places

NONE = -1


def make() -> int:
    """An eventfd, NONE where version 1 holds no memory."""
    if _parent() is None:
        return NONE
    return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)


def hand_over(notice: int, group: str) -> None:
    """From now on it counts when the use of the session's group, of that name, passes the share of the warning, and
    when something is ended there. Closes it; nothing happens where memory is not limited.
    """
    if notice == NONE:
        return
    # Kernels end to offer this; a session without it looks for itself while R works.
    with contextlib.suppress(OSError, ValueError):
        path = f"{_parent()}/{group}"
        limit = int(kernel_files.read(f"{path}/memory.limit_in_bytes"))
        _register(path, notice, "memory.usage_in_bytes", f" {int(limit * WARN_SHARE)}")
        _register(path, notice, "memory.oom_control", "")
    os.close(notice)


def _parent() -> str | None:
    where = places()
    return None if "memory" in where.unified_controllers else where.legacy_of("memory")


def _register(group: str, notice: int, file: str, argument: str) -> None:
    watched = os.open(f"{group}/{file}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel_files.write(f"{group}/cgroup.event_control", f"{notice} {watched}{argument}")
    finally:
        os.close(watched)

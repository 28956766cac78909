"""Version 1 of control groups tells root alone when memory runs short: a descriptor for the session, made by root."""

import contextlib
import os

from rserver_core.memory_limit import WARN_SHARE
from rserver_process import kernel_files


def notice_of(group: str, limit: int | None) -> int | None:
    """An eventfd that counts when the group's use passes the warning's share, and when something is ended there."""
    if not limit:
        return None
    notice = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    # Kernels end to offer this; a session without it looks for itself while R works.
    with contextlib.suppress(OSError):
        _register(group, notice, "memory.usage_in_bytes", f" {int(limit * WARN_SHARE)}")
        _register(group, notice, "memory.oom_control", "")
    return notice


def _register(group: str, notice: int, file: str, argument: str) -> None:
    watched = os.open(f"{group}/{file}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel_files.write(f"{group}/cgroup.event_control", f"{notice} {watched}{argument}")
    finally:
        os.close(watched)

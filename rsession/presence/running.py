"""Whether the process that a sentry names still runs."""

import os
import socket
from enum import Enum
from functools import cache

from rsession.presence.sentry import Process
from rsession.process_start import start_of


class Life(Enum):
    """What can be told from here."""

    RUNS = "runs"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """It is on another machine, or hidden."""


@cache
def own_process() -> Process:
    """This one."""
    return Process(socket.gethostname()[:255], _boot(), _namespace(), os.getpid(), start_of(os.getpid()) or 0)


def life_of(process: Process) -> Life:
    """Life of a process that somebody else named."""
    own = own_process()
    if not own.boot or (process.boot, process.namespace) != (own.boot, own.namespace):
        return Life.UNKNOWN
    start = start_of(process.pid)
    if start is not None:
        return Life.RUNS if start == process.start else Life.ENDED
    return Life.UNKNOWN if _is_hidden(process.pid) else Life.ENDED


def _is_hidden(pid: int) -> bool:
    """With hidepid the folders of others in /proc are not there, but their processes are."""
    if pid <= 1:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()[:64]
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")[:64]
    except OSError:
        return ""

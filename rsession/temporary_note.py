"""The note in R's temporary folder that says whose it is.

Number and start of the process; machine, its boot, and space of process numbers.
"""

import os
from contextlib import suppress

NAME = ".rsession"
_MOST_BYTES = 256
_STATE, _START = 0, 19


def own() -> str:
    """That of this process."""
    return " ".join([str(os.getpid()), _start_of(os.getpid()), *_here()])


def is_orphan(folder: str) -> bool:
    """Whether a process that has ended left a note in the folder."""
    with suppress(OSError, ValueError, IndexError):
        pid, start, *there = _read(f"{folder}/{NAME}")
        machine, boot, space = _here()
        # Processes of another machine or container cannot be seen from here.
        if there == [machine, boot, space]:
            return start != _start_of(int(pid))
        return there[0] == machine and there[1] != boot
    return False


def _read(path: str) -> list[str]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="ascii") as file:
        return file.read(_MOST_BYTES).split(" ")


def _start_of(pid: int) -> str:
    """Clock ticks from boot to the start of a process, which tell a reused number; empty when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[_STATE] == "Z" else fields[_START]


def _here() -> tuple[str, str, str]:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return os.uname().nodename, boot, os.readlink("/proc/self/ns/pid")

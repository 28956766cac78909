"""The programs that this process has started and that have not been left to themselves."""

import contextlib
import os


def signal_children(number: int) -> None:
    """Send a signal to every descendant; programs started with wait=FALSE have another parent by now and are spared."""
    for pid in _descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    children = _children(pid)
    return children + [further for child in children for further in _descendants(child)]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found

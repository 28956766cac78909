"""Which file descriptors a process has, and to whom it hands them."""

import os
from collections.abc import Iterable


def close_all_but(keep: Iterable[int]) -> None:
    """Close every descriptor of this process except these, also what a careless parent left open."""
    start = 0
    for fd in sorted({fd for fd in keep if fd >= 0}):
        # An empty range would close everything: CPython hands the kernel low and high - 1.
        if start < fd:
            os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, _end())


def null_on(*fds: int) -> None:
    """Put /dev/null on these descriptors, inherited by children."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in fds:
        if fd != null:
            os.dup2(null, fd)
    if null in fds:
        os.set_inheritable(null, True)
    else:
        os.close(null)


def _end() -> int:
    return max((int(name) for name in os.listdir("/proc/self/fd")), default=255) + 1

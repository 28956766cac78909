"""What ps shows of this process: a session that was not executed shows the command line it would have had."""

import ctypes
from collections.abc import Sequence

from rserver_process import kernel_files

_START, _END = 45, 46  # counted behind the name in /proc/PID/stat

_area = (0, 0)


def find() -> None:
    """Look where the kernel reads the command line; the same place in all that is forked from here."""
    global _area
    fields = kernel_files.read("/proc/self/stat").rpartition(")")[2].split()
    _area = (int(fields[_START]), int(fields[_END]))


def show(argv: Sequence[str]) -> None:
    """Replace it; what is longer than the first one was is cut off."""
    start, end = _area
    room = end - start
    text = b"".join(argument.encode("utf-8", "surrogateescape") + b"\0" for argument in argv)[: max(room - 1, 0)]
    if room:
        ctypes.memmove(start, text.ljust(room, b"\0"), room)

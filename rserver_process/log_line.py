"""The log of the small programs: lines on standard error."""

import contextlib
import os
import time


def log_line(program: str, text: str) -> None:
    """Write one line. Whoever read it may be gone: that must stop nobody."""
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} [{program}] {text}\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode("utf-8", "backslashreplace"))

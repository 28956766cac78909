"""The worker's log: one line per event on stderr."""

import sys
import time
from typing import TextIO

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogBeginner
from zope.interface import implementer

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r", 9: "\\t"}


@implementer(ILogObserver)
class LineObserver:
    """Writes `time [worker] level text`; what visitors sent cannot make a line of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        """Write one event; with the trace when it is a failure of ours."""
        level = getattr(event.get("log_level"), "name", "info")
        if level == "debug":
            return
        moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(event.get("log_time", time.time())))
        text = formatEvent(event).translate(_ESCAPES)
        failure = event.get("log_failure")
        trace = "" if failure is None else "\n" + failure.getTraceback().rstrip()
        self._stream.write(f"{moment} [worker] {level} {text}{trace}\n")
        self._stream.flush()


def begin() -> None:
    """Log to stderr from now on."""
    globalLogBeginner.beginLoggingTo([LineObserver(sys.stderr)], redirectStandardIO=False)

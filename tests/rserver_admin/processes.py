"""Real processes that stand for sessions and servers."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

from rserver_core.launch_wire import SessionRecord
from rserver_process.process_table import start_ticks

_READY = "import signal, sys\n{setup}\nprint('ready', flush=True)\nsignal.pause()"


@contextlib.contextmanager
def sleeper(setup: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A process that waits for signals, after the Python statement setup."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _READY.format(setup=setup)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def record_of(pid: int, session: str = "0" * 21, ticks: int | None = None) -> SessionRecord:
    """The record of a session that this process is; ticks: as if the process were another one of the same number."""
    own = start_ticks(pid) or 0
    started = ticks if ticks is not None else own
    return SessionRecord(session, "ann", 1000, 1000, pid, pid, time.time(), started, own, "/nonexistent.sock")

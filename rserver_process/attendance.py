"""What a keeper does while its session runs, and when it ends.

Plain blocking calls one after the other, without the event loop: a keeper waits for two descriptors, and every Python
object it touches is memory that it no longer shares with the others.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

from rserver_process import cgroup
from rserver_process.memory_end import MemoryEnd, memory_end
from rserver_process.process_table import send_to_session
from rserver_process.run_records import TAIL_BYTES, RunRecords, SessionExit
from rserver_process.session_start import Child

_CHUNK = 1 << 16
_LAST_READS = 32
_GRACE, _LOOK_AGAIN = 1.0, 0.02
_CLEAR_LIMIT = 10.0


class Attendance:
    """From the start of the session's program to the end of everything it left behind."""

    def __init__(self, files: RunRecords, session: str, child: Child, report: Callable[..., None]) -> None:
        self._files, self._session, self._child, self._report = files, session, child, report
        self._tail = bytearray()

    def until_end(self) -> None:
        """Wait for the end, write it down, tell it, clear away."""
        self._wait()
        self._write_down(self._exit())
        self._clear_away()

    def _wait(self) -> None:
        pidfd = os.pidfd_open(self._child.pid)

        def pass_on(number: int, _frame: FrameType | None) -> None:
            signal.pidfd_send_signal(pidfd, number)

        signal.signal(signal.SIGTERM, pass_on)
        os.set_blocking(self._child.output, False)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._child.output, select.POLLIN)
        while pidfd not in (ready := [fd for fd, _ in poll.poll()]):
            # End of file: the session has closed both of its outputs.
            if self._child.output in ready and self._read() == 0:
                poll.unregister(self._child.output)

    def _read(self) -> int | None:
        """Bytes read, None when there is nothing at the moment."""
        try:
            data = os.read(self._child.output, _CHUNK)
        except BlockingIOError:
            return None
        self._tail += data
        del self._tail[:-TAIL_BYTES]
        return len(data)

    def _exit(self) -> SessionExit:
        for _ in range(_LAST_READS):
            if not self._read():
                break
        # Not reaped yet: its number must stay taken until the rest of its process session is gone.
        seen = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        assert seen is not None
        exited, status = seen.si_code == os.CLD_EXITED, seen.si_status
        tail = bytes(self._tail).decode("utf-8", "replace")
        memory = self._memory_end() if not exited and status == signal.SIGKILL else None
        code, number = (status, None) if exited else (None, status)
        checkpoint, by = self._files.checkpoint(self._session), self._files.ordered_by(self._session, self._child.pid)
        return SessionExit(self._session, self._child.pid, code, number, tail, memory, checkpoint, by)

    def _memory_end(self) -> MemoryEnd | None:
        try:
            return memory_end(cgroup.name(self._session, os.getpid()), self._child.pid)
        except OSError:
            return None

    def _write_down(self, end: SessionExit) -> None:
        self._files.remove(f"{self._session}.sock")
        # Whoever is there to hear it is told even if it cannot be written down.
        with contextlib.suppress(OSError):
            self._files.write_exit(end, time.time())
        self._report(exited=end.to_json())

    def _clear_away(self) -> None:
        """Ask what is left to end, wait a moment, end it."""
        pid, deadline = self._child.pid, time.monotonic() + _GRACE
        left = send_to_session(pid, signal.SIGTERM)
        while left and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)
            left = send_to_session(pid, 0)
        if left:
            send_to_session(pid, signal.SIGKILL)
        cgroup.clear(self._session, os.getpid(), _CLEAR_LIMIT)
        os.waitpid(pid, 0)

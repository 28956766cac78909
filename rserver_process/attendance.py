"""What a keeper does while its session runs, and when it ends."""

import os
import signal
import time
from collections.abc import Callable

from rserver_core.launch_wire import SessionRecord
from rserver_process.cgroup import Cgroup
from rserver_process.event_loop import Loop
from rserver_process.process_table import send_to_session
from rserver_process.run_records import TAIL_BYTES, RunRecords, SessionExit
from rserver_process.session_socket import SessionSocket
from rserver_process.session_start import Child, StartFailed

_CHUNK = 1 << 16
_LAST_READS = 32
_GRACE, _LOOK_AGAIN = 1.0, 0.02
_IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


class Attendance:
    """From the release of the child to the end of everything it left behind."""

    def __init__(
        self, files: RunRecords, report: Callable[..., None], sock: SessionSocket, group: Cgroup, child: Child
    ) -> None:
        self._files, self._report, self._sock, self._group, self._child = files, report, sock, group, child
        self._tail = bytearray()
        self._loop = Loop()
        self._deadline = 0.0

    def until_end(self, record: SessionRecord) -> None:
        """Write the record, let the program run, wait for its end, write that down. StartFailed: it was never run."""
        self._files.remove(f"{record.session}.exit")
        self._files.write_record(record)
        try:
            self._child.release()
        except StartFailed:
            self._files.forget(record.session)
            raise
        self._report(started=record.to_json())
        self._attend(record)
        self._loop.run()

    def _attend(self, record: SessionRecord) -> None:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        os.set_blocking(self._child.output, False)
        self._loop.add_reader(self._child.output, self._read)
        # Not reaped yet: its number must stay taken until the rest of its process session is gone.
        watch = self._loop.watch_process(self._child.pid, lambda _status: self._ended(record), reap=False)
        self._loop.on_signal(signal.SIGTERM, lambda: watch.send(signal.SIGTERM))

    def _read(self) -> bool:
        try:
            data = os.read(self._child.output, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._child.output)
        self._tail += data
        del self._tail[:-TAIL_BYTES]
        return bool(data)

    def _ended(self, record: SessionRecord) -> None:
        for _ in range(_LAST_READS):
            if not self._read():
                break
        end = self._exit(record)
        self._sock.remove()
        self._files.write_exit(end, time.time())
        self._report(exited={**end.to_json()})
        self._deadline = time.monotonic() + _GRACE
        self._clear(signal.SIGTERM)

    def _exit(self, record: SessionRecord) -> SessionExit:
        seen = os.waitid(os.P_PID, record.pid, os.WEXITED | os.WNOWAIT)
        assert seen is not None
        exited = seen.si_code == os.CLD_EXITED
        tail = bytes(self._tail).decode("utf-8", "replace")
        return SessionExit(
            record.session, record.pid, seen.si_status if exited else None, None if exited else seen.si_status, tail
        )

    def _clear(self, number: int) -> None:
        """Ask what is left to end, and end it after a moment."""
        left = send_to_session(self._child.pid, number)
        if left and time.monotonic() < self._deadline:
            self._loop.call_later(_LOOK_AGAIN, lambda: self._clear(0))
            return
        if left:
            send_to_session(self._child.pid, signal.SIGKILL)
        self._group.kill()
        os.waitpid(self._child.pid, 0)
        self._loop.stop()

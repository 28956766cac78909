"""The guard: a process that does nothing but start the master anew when it was killed.

It is the foreground process of `rserver`. A service manager that restarts the master itself does not need it.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from rserver.supervisor.backoff import Backoff
from rserver_process.log_line import log_line

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Guard:
    """Runs serve(attempt) in a child until it ends by itself; its exit code is the guard's."""

    def __init__(self, serve: Callable[[int], int]) -> None:
        self._serve = serve
        self._child = 0
        self._stopping = False

    def run(self) -> int:
        """The exit code of the last master."""
        attempt, backoff = 0, Backoff()
        for number in _PASSED_ON:
            signal.signal(number, self._pass_on)
        while True:
            started = time.monotonic()
            code = self._run_master(attempt)
            if code >= 0:
                return code
            if not self._stopping:
                log_line("guard", f"the master ended by signal {-code}, starting it again")
                time.sleep(backoff.after(time.monotonic() - started))
            if self._stopping:
                return 0
            attempt += 1

    def _run_master(self, attempt: int) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        self._child = os.fork()
        if self._child == 0:
            os._exit(self._be_master(attempt))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        return os.waitstatus_to_exitcode(status)

    def _be_master(self, attempt: int) -> int:
        for number in _PASSED_ON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        code = self._serve(attempt)
        return code

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = True
        if not self._child:
            return
        # Ctrl-C reaches the master too, as a member of the terminal's group: to it a second one is the same wish.
        os.kill(self._child, signal.SIGTERM if number == signal.SIGINT else number)

"""A running nginx: started with our listening sockets, reloaded, ended; and the test of a configuration."""

import ctypes
import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from rserver_process.event_loop import Loop, Watch
from rserver_process.signals import all_at_default

_PR_SET_PDEATHSIG = 1
_TEST_SECONDS = 10.0
_LONGEST_COMPLAINT = 1000
# "nginx: [emerg] what in file:line": nginx's own words for what is wrong.
_COMPLAINT = re.compile(r"^(?:nginx: |\d{4}/\S+ \S+ )\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.+)$", re.MULTILINE)


class Nginx:
    """nginx with one program and one set of sockets. Sockets are passed in the way in which it takes over its own."""

    def __init__(self, loop: Loop, program: str, sockets: Sequence[int], environment: dict[str, str]) -> None:
        self._loop, self._program = loop, program
        self._environment = {**environment, "NGINX": "".join(f"{fd};" for fd in sockets)}
        self._watch: Watch | None = None
        for fd in sockets:
            os.set_inheritable(fd, True)

    def test(self, configuration: Path) -> str:
        """Empty when nginx takes this configuration, else its complaint. Takes its time: nothing else is to be done."""
        try:
            done = subprocess.run(
                [*self._argv(configuration), "-t"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TEST_SECONDS,
                close_fds=False,
                env=self._environment,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"nginx -t failed: {error}"
        return _complaint(done.stderr.decode("utf-8", "replace")) if done.returncode else ""

    def start(self, configuration: Path, ended: Callable[[str], None]) -> None:
        """Start it; ended gets how it ended, whenever that is."""
        pid = os.fork()
        if pid == 0:
            _become(self._argv(configuration), self._environment)
        self._watch = self._loop.watch_process(pid, lambda status: self._ended(status, ended))

    @property
    def running(self) -> bool:
        """There is a process."""
        return self._watch is not None

    def reload(self) -> None:
        """Read the configuration anew: new workers take over, old ones end with their last connection."""
        self._send(signal.SIGHUP)

    def finish(self) -> None:
        """Accept nothing more and end with the last request."""
        self._send(signal.SIGQUIT)

    def end(self) -> None:
        """End now."""
        self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        if self._watch:
            self._watch.send(number)

    def _argv(self, configuration: Path) -> list[str]:
        return [self._program, "-e", "stderr", "-c", str(configuration)]

    def _ended(self, status: int | None, ended: Callable[[str], None]) -> None:
        self._watch = None
        code = os.waitstatus_to_exitcode(status) if status is not None else -1
        ended(f"exit code {code}" if code >= 0 else f"signal {-code}")


def _become(argv: list[str], environment: dict[str, str]) -> None:
    """In the forked child: never returns."""
    try:
        all_at_default()
        # Should we be killed, nginx must not serve on alone.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        os.execve(argv[0], argv, environment)
    finally:
        os._exit(127)


def _complaint(output: str) -> str:
    found = _COMPLAINT.search(output)
    return (found[1] if found else output.strip() or "nginx -t failed without a word")[:_LONGEST_COMPLAINT]

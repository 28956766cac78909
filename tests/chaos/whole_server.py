"""The server of a run: its processes, and bad things that happen to them."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.system.running_server import ROOT, RunningServer, descendants, running_server

BACK_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_PARTS = {"worker": "worker_main.py", "launcher": "rserver_launcher", "forker": "rserver-forker"}


class WholeServer:
    """Everything from the guard to the keepers."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running

    @property
    def port(self) -> int:
        """Of 127.0.0.1."""
        return self.running.port

    def pid_of(self, part: str) -> int:
        """The process that plays this part now, 0 when there is none."""
        if part == "guard":
            return self.running.process.pid
        if part == "master":
            with contextlib.suppress(OSError, ValueError, IndexError):
                return self.running.master_pid
            return 0
        return next((pid for pid in descendants(self.running.process.pid) if _is(pid, _PARTS[part])), 0)

    def kill(self, part: str) -> None:
        """SIGKILL; nothing when there is no such process at the moment."""
        if pid := self.pid_of(part):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze_worker(self, seconds: float) -> None:
        """Neither does it answer nor does anybody notice."""
        pid = self.pid_of("worker")
        if not pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(pid, signal.SIGCONT)

    def restart(self) -> None:
        """As a service manager does it; sessions go on."""
        self.running.stop()
        self.running.start()

    def lose_guard(self) -> None:
        """The guard is killed; whoever looks after the machine ends what is left and starts anew."""
        master = self.pid_of("master")
        self.kill("guard")
        with contextlib.suppress(ProcessLookupError):
            os.kill(master, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{master}"), "the master does not end without its guard")
        self.running.wait(BACK_SECONDS)
        self.running.start()

    def reboot(self) -> None:
        """Everything is gone at once, and what was in memory: the run directory too."""
        pids = [self.running.process.pid, *descendants(self.running.process.pid), *self.keepers_and_sessions()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.running.wait(BACK_SECONDS)
        for pid in pids:
            wait_for(lambda pid=pid: _is_gone(pid), f"process {pid} outlives SIGKILL")  # type: ignore[misc]
        shutil.rmtree(self.running.run_dir)
        self.running.start()

    def keepers_and_sessions(self) -> list[int]:
        """By the records, with everything that the sessions started."""
        found = []
        for path in (self.running.run_dir / "sessions").glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                record = json.loads(path.read_text())
                found += [record["keeper_pid"], record["pid"], *descendants(record["pid"])]
        return found

    def administer(self, *verb: str) -> subprocess.CompletedProcess[str]:
        """`rstudio-server VERB …`."""
        own = [f"--{name}={value}" for name, value in self.running.options.items()]
        argv = [sys.executable, str(ROOT / "rserver_admin" / "__main__.py"), *verb, *own]
        return subprocess.run(argv, env=self.running.env, capture_output=True, text=True, timeout=120, check=False)

    def wait_until_back(self) -> None:
        """Every part is there and the door is open."""
        wait_for(lambda: all(map(self.pid_of, ("master", "worker", "launcher"))), "a part of the server did not return")
        wait_for(self._answers, "the server does not answer")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/auth-sign-in")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def wait_for(holds: Callable[[], object], why: str, seconds: float = BACK_SECONDS) -> None:
    """Until it holds; AssertionError with the reason after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, why
        time.sleep(_LOOK_SECONDS)


def _is(pid: int, program: str) -> bool:
    with contextlib.suppress(OSError):
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        return comm == program or program.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextlib.contextmanager
def whole_server() -> Iterator[WholeServer]:
    """A server of our own, with its sessions gone at the end."""
    with running_server() as running:
        yield WholeServer(running)

"""Memory of keepers: twenty sessions (a sleeping program each) under a real launcher with PAM. Needs root.

    python bench/keeper_memory.py [--sessions 20] [--profile]

Prints one JSON line: PSS of launcher and of a keeper (median and highest) in KiB, and the median time from request to
running program; with --profile, memory, processors, processes and files of each session are limited.
"""

import argparse
import json
import os
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rserver_core.frame import FrameReader, Message, encode, greeting  # noqa: E402
from rserver_core.profiles import published  # noqa: E402
from rserver_core.profiles.file import parse  # noqa: E402

PROFILES = "[*]\nmax-memory-mb=500\nmax-cpus=1.5\nmax-processes=50\nmax-open-files=500\n"
ACCOUNT = f"rscb{os.getpid()}"
SERVICE = f"rstest-bench-{os.getpid()}"


class LauncherClient:
    """The master's end of a launcher's channel."""

    def __init__(self, run_dir: str, program: str) -> None:
        self._sock, theirs = socket.socketpair()
        argv = [sys.executable, "-I", "-S", str(ROOT / "rserver_launcher" / "__main__.py")]
        dup = "import os,sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])"
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", dup, str(theirs.fileno()), *argv], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self._messages: list[Message] = []
        self._reader = FrameReader()
        options = {
            "server-data-dir": run_dir,
            "auth-pam-sessions-profile": SERVICE,
            "auth-minimum-user-id": 1000,
            "server-user": "nobody",
            "rsession-path": program,
        }
        self.send(greeting("master", options=options))
        self.receive(lambda message: message.get("role") == "launcher")

    def send(self, message: Message) -> None:
        """One message to the launcher."""
        self._sock.sendall(encode(message))

    def receive(self, wanted: Any) -> Message:
        """The first message that fits."""
        while True:
            for number, message in enumerate(self._messages):
                if wanted(message):
                    return self._messages.pop(number)
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError("the launcher ended")
            self._messages += self._reader.feed(data)

    def launch(self, number: int) -> dict[str, Any]:
        """The record of a new session."""
        launch = {"session": f"{number:021x}", "user": ACCOUNT, "argv": [], "env": {}}
        self.send({"id": number, "op": "launch", "launch": launch})
        answer = self.receive(lambda message: message.get("id") == number)
        record: dict[str, Any] = answer["session"]
        return record

    def close(self) -> None:
        """End the launcher."""
        self._sock.close()
        self.process.wait(10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("keeper_memory needs root: it makes an account")
    with environment() as folder:
        if given.profile:
            published.write(str(folder), parse(PROFILES, "profiles"))
        print(json.dumps(measure(folder, given.sessions) | {"profile": given.profile}))


def measure(folder: Path, sessions: int) -> dict[str, Any]:
    """The figures of one launcher with that many sessions."""
    program = folder / "program"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    launcher = LauncherClient(str(folder), str(program))
    records, times = [], []
    for number in range(sessions):
        started = time.perf_counter()
        records.append(launcher.launch(number + 1))
        times.append(time.perf_counter() - started)
    keepers = [pss(record["keeper_pid"]) for record in records]
    result = {
        "bench": "keeper_memory",
        "sessions": sessions,
        "launcher_pss_kib": pss(launcher.process.pid),
        "keeper_pss_kib": statistics.median(keepers),
        "keeper_pss_kib_max": max(keepers),
        "launch_ms": round(statistics.median(times) * 1000, 1),
    }
    for number, record in enumerate(records):
        launcher.send({"id": 1000 + number, "op": "signal", "session": record["session"], "signal": "KILL"})
        launcher.receive(lambda message: message.get("event") == "exited")
    launcher.close()
    return result


def pss(pid: int) -> int:
    """Proportional set size in KiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(pid)


@contextmanager
def environment() -> Iterator[Path]:
    """An account, the session service under a name of its own, a run directory."""
    folder = Path(tempfile.mkdtemp(prefix="rsc-bench-"))
    service = Path("/etc/pam.d") / SERVICE
    subprocess.run(["useradd", "--create-home", ACCOUNT], check=True, capture_output=True)
    try:
        folder.chmod(0o755)
        service.write_text((ROOT / "etc" / "pam.d" / "rstudio-session").read_text())
        pwd.getpwnam(ACCOUNT)
        yield folder
    finally:
        service.unlink(missing_ok=True)
        subprocess.run(["userdel", "--remove", ACCOUNT], check=True, capture_output=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

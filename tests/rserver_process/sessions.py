"""Keepers with a stub as session program, turned until something happens."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rserver_core.launch_wire import LaunchSpec, SessionRecord
from rserver_process.event_loop import Loop
from rserver_process.keeper import OpenSession
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.keepers import Keepers, LaunchRefused
from rserver_process.process_table import session_members
from rserver_process.run_records import SessionExit
from tests.rserver_process.turning import turn_until

RUN_SCRIPT = '#!/bin/sh\nexec "$@"\n'

# Listens anew, answers one line per connection: its pid and the peer's uid.
STUB = """
import os, socket, struct
listener = socket.socket(fileno=3)
listener.listen(16)
while True:
    peer, _ = listener.accept()
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    peer.sendall(f"{os.getpid()} {os.getuid()} {uid}".encode())
    peer.close()
"""


class World:
    """Keepers of a test, what they reported, and a run directory that other accounts can enter."""

    def __init__(self, loop: Loop, folder: Path, settings: KeeperSettings, open_session: OpenSession | None) -> None:
        self.loop, self.folder, self.settings = loop, folder, settings
        self.started: list[SessionRecord] = []
        self.exited: list[SessionExit] = []
        self.keepers = Keepers(
            loop, str(folder), settings, self.started.append, self.exited.append, open_session=open_session
        )

    def launch(self, user: str, number: int = 1, *argv: str, **env: str) -> SessionRecord:
        """A session that runs."""
        result = self.try_launch(user, number, *argv, **env)
        assert isinstance(result, SessionRecord), result
        return result

    def try_launch(self, user: str, number: int = 1, *argv: str, **env: str) -> SessionRecord | LaunchRefused:
        """What comes of it."""
        results: list[SessionRecord | LaunchRefused] = []
        self.keepers.launch(spec(user, number, *argv, **env), results.append)
        turn_until(self.loop, lambda: results)
        return results[0]

    def end_of(self, record: SessionRecord) -> SessionExit:
        """How the session ended, as soon as it did."""
        turn_until(self.loop, lambda: any(end.session == record.session for end in self.exited))
        return next(end for end in self.exited if end.session == record.session)

    def files(self) -> set[str]:
        """Names in the folder of sockets and records, without notes of ends, which stay a while."""
        return {name for name in os.listdir(self.folder / "sessions") if not name.endswith(".exit")}

    def notes(self) -> set[str]:
        """Notes of ends."""
        return set(os.listdir(self.folder / "sessions")) - self.files()

    def finish(self) -> None:
        """Kill what still runs and see it gone."""
        for record in self.keepers.records():
            self.keepers.signal(record.session, "KILL")
        turn_until(self.loop, lambda: not self.keepers.records())
        self.keepers.close()


def session_name(number: int) -> str:
    """A session id."""
    return f"{number:021x}"


def spec(user: str, number: int = 1, *argv: str, **env: str) -> LaunchSpec:
    """A launch spec."""
    return LaunchSpec(session_name(number), user, argv, tuple(env.items()))


@contextmanager
def world(
    loop: Loop, program: str = STUB, *, open_session: OpenSession | None = None, **more: object
) -> Iterator[World]:
    """Keepers whose sessions run this Python program."""
    folder = Path(tempfile.mkdtemp(prefix="rsc-"))
    try:
        folder.chmod(0o755)
        run, script = folder / "run.sh", folder / "program.py"
        run.write_text(RUN_SCRIPT)
        script.write_text(program)
        base = {
            "run_script": str(run),
            "program": ("/usr/bin/python3", "-I", "-S", str(script)),
            "server_gid": os.getegid(),
        }
        made = World(loop, folder, KeeperSettings(**{**base, **more}), open_session)  # type: ignore[arg-type]
        yield made
        made.finish()
    finally:
        shutil.rmtree(folder)


def is_gone(pid: int) -> bool:
    """No such process, or one that only waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


def mode_of(path: str) -> tuple[str, int, int]:
    """Mode as ls writes it, uid and gid."""
    found = os.lstat(path)
    return stat.filemode(found.st_mode), found.st_uid, found.st_gid


def ask(path: str) -> list[int]:
    """Pid and uid of the session, our uid as it sees it."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(path)
        return [int(word) for word in sock.recv(100).split()]


LEFT_BEHIND = """
import os, signal, subprocess, sys, time
plain = subprocess.Popen(["sleep", "1000"])
group = subprocess.Popen(["sleep", "1000"], process_group=0)
deaf = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"])
print(plain.pid, group.pid, deaf.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


def children_of(record: SessionRecord, count: int) -> list[int]:
    """Pids of the processes in the session's process session besides it."""
    members = session_members(record.pid)
    return members if len(members) == count and all(has_ended_exec(pid) for pid in members) else []


def has_ended_exec(pid: int) -> bool:
    """False while it is still a copy of its parent."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"sleep\0" in command or b"signal.signal(15" in command
    return False

"""A whole real server beside any other on the machine: own directories, port and PAM services."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.system.accounts import Account

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
_LISTENING = re.compile(r"listening on https?://127\.0\.0\.1:(\d+)/")


class RunningServer:
    """The process tree of one `rserver`, its port and its log."""

    def __init__(
        self,
        directory: Path,
        options: dict[str, str],
        env: dict[str, str],
        account: Account | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.directory, self.options, self.env = directory, options, env
        self.run_dir, self.lib_dir = directory / "run", directory / "lib"
        self.lines: list[str] = []
        self._account, self._prefix = account, prefix
        self._changed = threading.Condition()
        self.start()

    def start(self) -> None:
        """Start it, again after it has ended; the log goes on."""
        argv = [
            *self._prefix,
            sys.executable,
            str(ROOT / "rserver" / "__main__.py"),
            *(f"--{name}={value}" for name, value in self.options.items()),
        ]
        account, begin = self._account, len(self.lines)
        self.process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.env,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        self._reader = threading.Thread(target=self._read, args=[self.process.stdout], daemon=True)
        self._reader.start()
        self.port = int(self.wait_for_line(_LISTENING, begin=begin).group(1))

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.options.get("ssl-enabled") == "1" else "http"

    @property
    def log(self) -> str:
        """Everything that was logged so far."""
        with self._changed:
            return "".join(self.lines)

    def wait_for_line(self, pattern: re.Pattern[str], seconds: float = START_SECONDS, begin: int = 0) -> re.Match[str]:
        """The first line of the log, from line begin on, that has pattern; fails after that many seconds or at the end.

        The end is that of the server.
        """

        def found() -> re.Match[str] | None:
            return next((match for line in self.lines[begin:] if (match := pattern.search(line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self.process.poll() is not None, seconds)
            match = found()
        assert match, f"no {pattern.pattern!r} in the log:\n{self.log}"
        return match

    def pids(self, program: str) -> list[int]:
        """Processes of this server whose command line holds program: master.py's guard, worker_main.py, …"""
        return [pid for pid in descendants(self.process.pid) if program in _command_line(pid)]

    @property
    def master_pid(self) -> int:
        """The master, child of the guard."""
        return int((self.run_dir / "rserver.pid").read_text().split()[0])

    def stop(self) -> int:
        """Ask the server to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float = 20) -> int:
        """Wait for its end and read the log to its end; its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(20)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def _read(self, output: IO[str]) -> None:
        for line in output:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


@contextlib.contextmanager
def running_server(
    env: dict[str, str] | None = None,
    conf: str = "",
    account: Account | None = None,
    files: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    **options: str,
) -> Iterator[RunningServer]:
    """A server on a free port of 127.0.0.1, stopped at the end with its sessions. options: names with underscores.

    account: who runs it; None: whoever runs the tests. files: others in the configuration directory; {conf} in them and
    in options stands for that directory. prefix: a command that executes the server.
    """
    directory = Path(tempfile.mkdtemp(prefix="rserver-test-"))
    directory.chmod(0o755)
    (directory / "conf").mkdir()
    for name, text in {"rserver.conf": conf, **(files or {})}.items():
        (directory / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "conf" / name).write_text(text.replace("{conf}", str(directory / "conf")))
    given = {
        name.replace("_", "-"): value.replace("{conf}", str(directory / "conf")) for name, value in options.items()
    }
    full_env = {**os.environ, "RSTUDIO_CONFIG_DIR": str(directory / "conf"), **(env or {})}
    if account:
        os.chown(directory, account.uid, account.gid)
        full_env |= {"HOME": str(account.home), "USER": account.name, "LOGNAME": account.name}
    with _pam_services() as (password_service, session_service):
        server = RunningServer(
            directory,
            {
                "server-daemonize": "0",
                "server-data-dir": str(directory / "run"),
                "server-lib-dir": str(directory / "lib"),
                "www-address": "127.0.0.1",
                # Not 0: after the master was killed the port must be the same.
                "www-port": str(_free_port()),
                "www-workers": os.environ.get("RSERVER_TEST_WORKERS", "1"),
                "auth-pam-service": password_service,
                "auth-pam-sessions-profile": session_service,
                **given,
            },
            full_env,
            account,
            prefix,
        )
        try:
            yield server
        finally:
            _end(server)
            shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _end(server: RunningServer) -> None:
    keepers = list((server.run_dir / "sessions").glob("*.json"))
    if server.process.poll() is None:
        server.stop()
    for record in keepers:
        _kill_recorded(record)


def _kill_recorded(record: Path) -> None:
    found = re.search(r'"pid": ?(\d+)', record.read_text()) if record.exists() else None
    if found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found.group(1)), signal.SIGKILL)


@contextlib.contextmanager
def _pam_services() -> Iterator[tuple[str, str]]:
    """The PAM profiles that we ship, under names of this test run."""
    name = f"rstest-{os.getpid()}-{secrets.token_hex(3)}"
    names = (name, f"{name}-session")
    if os.geteuid() != 0:
        yield names
        return
    for name, shipped in zip(names, ("rstudio", "rstudio-session"), strict=True):
        shutil.copy(ROOT / "etc" / "pam.d" / shipped, f"/etc/pam.d/{name}")
    try:
        yield names
    finally:
        for name in names:
            Path(f"/etc/pam.d/{name}").unlink(missing_ok=True)


def descendants(pid: int) -> list[int]:
    """All living children of a process, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children] + [p for child in children for p in descendants(int(child))]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""

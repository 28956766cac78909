"""A real session in a temporary home: started as the server would start it, asked to compute, ended."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rserver_admin import installation
from rserver_admin.verify.session_client import NoAnswer, SessionClient
from rserver_core.r_installation import RInstallation
from rserver_process import session_socket
from rserver_process.accounts import Account
from rserver_process.process_table import kill_tree, send_to_session
from rserver_process.session_environment import session_environment

SECONDS = 60.0
_END_SECONDS, _LAST_SECONDS = 10.0, 1.0
_TAIL = 2000
_ID = "0" * 21
_PASSED_ON = ("RSTUDIO_CONFIG_DIR", "LANG", "LC_ALL", "TZ", "TMPDIR")


class TrialFailed(Exception):
    """The session did not do what it should; the text says what, output is the end of what it wrote."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True, slots=True)
class Trial:
    """What to start: which R, the program of the session, whose environment it gets."""

    installation: RInstallation
    program: tuple[str, ...]
    environ: Mapping[str, str]


def run_trial(trial: Trial, account: Account, seconds: float = SECONDS) -> str:
    """What R answered; TrialFailed otherwise. account's home must be there: a directory of its own."""
    path = os.path.join(account.home, "session.sock")
    with (
        open(os.path.join(account.home, "output"), "w+b") as output,
        _started(trial, account, path, output.fileno()) as (process),
    ):
        deadline = time.monotonic() + seconds
        try:
            answer = SessionClient(path, deadline, lambda: process.poll() is None).compute()
        except NoAnswer as error:
            raise TrialFailed(f"{error}{_end_of(process)}", _tail(output.fileno())) from None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    return answer


@contextlib.contextmanager
def temporary_home(account: Account) -> Iterator[str]:
    """A fresh directory that belongs to the account; removed with all that is in it."""
    home = tempfile.mkdtemp(prefix="rserver-verify-")
    try:
        if os.geteuid() == 0:
            os.chown(home, account.uid, account.gid)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _started(trial: Trial, account: Account, path: str, output: int) -> Iterator["subprocess.Popen[bytes]"]:
    with contextlib.closing(session_socket.listen(path, account, account.gid)) as listener:
        process = _start(trial, account, listener, output)
    try:
        yield process
    finally:
        send_to_session(process.pid, signal.SIGKILL)
        if process.poll() is None:
            kill_tree(process.pid)
            process.wait()


def _start(trial: Trial, account: Account, listener: socket.socket, output: int) -> "subprocess.Popen[bytes]":
    base = {name: trial.environ[name] for name in _PASSED_ON if name in trial.environ}
    extra = {**trial.installation.environment(), "RSTUDIO": "1", "RSTUDIO_USER_IDENTITY": account.name}
    options = (f"--session-id={_ID}", f"--server-uid={os.geteuid()}", f"--listen-fd={listener.fileno()}")
    root = os.geteuid() == 0
    return subprocess.Popen(
        ["/bin/sh", installation.RSESSION_RUN, *trial.program, *options],
        env=session_environment(account, base, {}, extra.items()),
        cwd=account.home,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(listener.fileno(),),
        start_new_session=True,
        user=account.uid if root else None,
        group=account.gid if root else None,
        extra_groups=list(account.groups) if root else None,
        umask=0o022,
    )


def _end_of(process: "subprocess.Popen[bytes]") -> str:
    try:
        # Its connections close a moment before it can be waited for.
        code = process.wait(_LAST_SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    return f" (exit code {code})" if code >= 0 else f" (signal {-code})"


def _tail(fd: int) -> str:
    size = os.fstat(fd).st_size
    return os.pread(fd, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace").strip()

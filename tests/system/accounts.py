"""Throw-away Linux accounts with real shadow passwords."""

import contextlib
import os
import pwd
import random
import secrets
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A local account of this machine that lives as long as a test."""

    name: str
    password: str
    uid: int
    gid: int
    home: Path


@contextlib.contextmanager
def account(prefix: str = "rst", *options: str) -> Iterator[Account]:
    """Make an account with a home, give it a password, remove both with everything that still runs as it."""
    name = prefix + secrets.token_hex(3)
    password = secrets.token_hex(8)
    _add(name, *options)
    try:
        _run("chpasswd", stdin=f"{name}:{password}")
        entry = pwd.getpwnam(name)
        yield Account(name, password, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            kill_processes_of(int(_run("id", "-u", name)))
        _run("userdel", "--force", "--remove", name)


def _add(name: str, *options: str) -> None:
    """The account and its group, both with the same number, which several runs at once would not get by themselves."""
    for number in random.sample(range(20_000, 50_000), 50):
        if subprocess.run(["groupadd", "--gid", str(number), name], capture_output=True, check=False).returncode == 0:
            break
    _run("useradd", "--create-home", "--shell", "/bin/bash", "--uid", str(number), "--gid", name, *options, name)


def processes_of(uid: int) -> list[int]:
    """Every process whose real uid is this one and that has not ended."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _uid_of(pid) == uid]


def kill_processes_of(uid: int) -> None:
    """End what still runs as a throw-away account."""
    for pid in processes_of(uid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _uid_of(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return None if fields["State"].strip().startswith("Z") else int(fields["Uid"].split()[0])


def _run(*argv: str, stdin: str = "") -> str:
    return subprocess.run(argv, input=stdin, check=True, capture_output=True, text=True).stdout

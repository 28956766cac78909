"""Accounts that a server run as root needs: its own, and one to sign in with where the machine has none."""

import os
import pwd
import secrets
import subprocess
from pathlib import Path

from tools.steps import command, say

SERVICE = "rstudio-server"
ACLS = "rserver-acls"
DEMO = "rdemo"
_DEMO_COMMENT = "R demo account"
_DEMO_PASSWORD = Path("/var/lib/rserver-demo-password")
_SHELLS = ("/bin/bash", "/bin/sh", "/bin/dash", "/bin/zsh", "/usr/bin/bash", "/usr/bin/zsh", "/usr/bin/fish")
_UIDS = range(1000, 60000)


def ensure_service_accounts() -> None:
    """The system accounts of the processes that talk to the network and that change access to shared projects."""
    for name in (SERVICE, ACLS):
        if _account(name) is None:
            say(f"system account {name}")
            options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
            command("useradd-service", ["useradd", *options, "--shell", "/usr/sbin/nologin", name])


def ensure_somebody_can_sign_in() -> None:
    """The demo account, where no ordinary account has a password."""
    demo = _account(DEMO)
    if demo is None and not _ordinary_accounts():
        say(f"no account to sign in with on this machine, so a demo account: {DEMO}")
        options = ("--create-home", "--shell", "/bin/bash", "--comment", _DEMO_COMMENT)
        command("useradd-demo", ["useradd", *options, DEMO])
        demo = _account(DEMO)
    if demo is not None and demo.pw_gecos.startswith(_DEMO_COMMENT) and not _DEMO_PASSWORD.exists():
        _set_demo_password()


def demo_password() -> str | None:
    """The demo account's password when this set-up made it and we may read it."""
    try:
        return _DEMO_PASSWORD.read_text().strip() if _account(DEMO) else None
    except OSError:
        return None


def _set_demo_password() -> None:
    password = secrets.token_urlsafe(9)
    subprocess.run(["chpasswd"], input=f"{DEMO}:{password}\n", text=True, check=True)
    descriptor = os.open(_DEMO_PASSWORD, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w") as file:
        file.write(password + "\n")


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _ordinary_accounts() -> list[str]:
    return [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in _UIDS and _can_sign_in(entry)]


def _can_sign_in(entry: pwd.struct_passwd) -> bool:
    if entry.pw_shell not in _SHELLS:
        return False
    status = subprocess.run(
        ["passwd", "--status", entry.pw_name], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    fields = status.stdout.split()
    # Accounts of a directory service are unknown to this program but can sign in.
    return status.returncode != 0 or (len(fields) > 1 and fields[1] == "P")

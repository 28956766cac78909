"""The keys that sign cookies: one a line, the first signs, all verify.

Only root, in single-user mode the user, can read the file.
"""

import os
import secrets
import stat
from pathlib import Path

from rserver.supervisor.exit_codes import ExitCode, StartRefused

MIN_LENGTH = 32
MAX_KEYS = 8


def read_or_make(path: Path) -> list[str]:
    """The keys in path as hex text; a missing file is made with one fresh key.

    StartRefused when the file is not acceptable.
    """
    if not path.exists():
        _make(path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from None
    with open(fd, encoding="utf-8", errors="replace") as file:
        _check_access(path, os.fstat(fd))
        lines = [line.strip() for line in file.read(65536).splitlines()]
    return _keys(path, [line for line in lines if line and not line.startswith("#")])


def _keys(path: Path, lines: list[str]) -> list[str]:
    if not 1 <= len(lines) <= MAX_KEYS:
        raise _refused(path, f"holds {len(lines)} keys, 1 to {MAX_KEYS} are allowed")
    for number, line in enumerate(lines, 1):
        if len(line) < MIN_LENGTH:
            raise _refused(path, f"key {number} has {len(line)} characters, at least {MIN_LENGTH} are needed")
    return [line.encode().hex() for line in lines]


def _check_access(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise _refused(path, f"belongs to uid {status.st_uid}; it must belong to the account that starts the server")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _refused(path, f"has mode {stat.S_IMODE(status.st_mode):04o}; only its owner may have access: chmod 600")


def _make(path: Path) -> None:
    aside = path.with_name(path.name + ".new")
    try:
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(fd)
        os.rename(aside, path)
    except OSError as error:
        raise _refused(path, f"cannot be made: {error.strerror}") from None


def _refused(path: Path, why: str) -> StartRefused:
    return StartRefused(ExitCode.CONFIGURATION, f"secure-cookie-key-file {path} {why}")

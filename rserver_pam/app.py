"""`rserver-pam USER [SERVICE]`: password on standard input, the answer as exit code, one line on stderr."""

import os
import sys

from rserver_core.user_name import is_user_name
from rserver_pam.verdict import FAILED, MISUSE, check_password

DEFAULT_SERVICE = "rstudio"
MAX_PASSWORD = 512
_USAGE = "usage: rserver-pam USER [SERVICE], the password on standard input"


class Misuse(Exception):
    """The program was called wrongly; the text says how."""


def run(arguments: list[str]) -> int:
    """The exit code: 0 accepted, 1 refused, 2 wrong use, 3 PAM failed, 4 the password must be changed."""
    try:
        user, service = _parse(arguments)
        password = _read_password(0)
    except Misuse as error:
        code, line = MISUSE, str(error)
    except OSError as error:
        code, line = MISUSE, f"standard input cannot be read: {error.strerror}"
    else:
        code, line = _check(user, password, service)
    print(f"rserver-pam: {_printable(line)}", file=sys.stderr)
    return code


def _check(user: str, password: str, service: str) -> tuple[int, str]:
    try:
        return check_password(user, password, service, os.environ.get("PAM_RHOST", ""))
    except Exception as error:
        # Its text could quote what it was working on.
        return FAILED, f"{user}: {type(error).__name__} while asking PAM"


def _parse(arguments: list[str]) -> tuple[str, str]:
    if not 1 <= len(arguments) <= 2:
        raise Misuse(_USAGE)
    user, service = arguments[0], arguments[1] if len(arguments) == 2 else DEFAULT_SERVICE
    if not is_user_name(user):
        raise Misuse("USER is no account name")
    if not is_service_name(service):
        raise Misuse("SERVICE is no name of a PAM service")
    return user, service


def is_service_name(text: str) -> bool:
    """True for the name of a file in /etc/pam.d: never a path."""
    return (
        0 < len(text) <= 64 and text.isascii() and text[0] not in "-." and all(c.isalnum() or c in "-_." for c in text)
    )


def _read_password(fd: int) -> str:
    if os.isatty(fd):
        raise Misuse("standard input is a terminal, which would show the password: " + _USAGE)
    content = b""
    while b"\n" not in content and len(content) <= MAX_PASSWORD:
        chunk = os.read(fd, MAX_PASSWORD + 1)
        if not chunk:
            break
        content += chunk
    password = content.partition(b"\n")[0]
    if len(password) > MAX_PASSWORD:
        raise Misuse(f"the password is longer than {MAX_PASSWORD} bytes")
    if b"\0" in password:
        raise Misuse("the password holds a zero byte")
    return password.decode("utf-8", "surrogateescape")


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)[:1000]

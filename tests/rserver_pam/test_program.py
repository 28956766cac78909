"""The program itself on shadow accounts of this machine, as the master runs it."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver_process.pam_services import installed_service
from tests.system.accounts import Account, account

pytestmark = pytest.mark.root

PROGRAM = [sys.executable, "-I", "-S", str(Path(__file__).resolve().parents[2] / "rserver_pam" / "__main__.py")]
UNIX = "auth required pam_unix.so\naccount required pam_unix.so\npassword required pam_unix.so\n"


@pytest.fixture(scope="module")
def user() -> Iterator[Account]:
    """A throw-away account with a real shadow password."""
    with account("rsc") as made:
        yield made


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """pam_unix alone."""
    with installed_service(UNIX) as name:
        yield name


def check(stdin: bytes, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and stderr."""
    done = subprocess.run([*PROGRAM, *arguments], input=stdin, capture_output=True, env=env, timeout=60, check=False)
    assert done.stdout == b""
    line = done.stderr.decode()
    assert line.count("\n") == 1, line
    return done.returncode, line


def run(*argv: str) -> None:
    """A tool of the administrator."""
    subprocess.run(argv, check=True, capture_output=True)


def test_right_password(user: Account, service: str) -> None:
    """With and without an end of line; what follows it is not read as password."""
    password = user.password.encode()
    for stdin in (password, password + b"\n", password + b"\nmore\n"):
        assert check(stdin, user.name, service) == (0, f"rserver-pam: {user.name}: accepted by PAM service {service}\n")


@pytest.mark.parametrize("stdin", [b"wrong", b"", b"\n", b"\xff\xfe", b"x" * 512])
def test_wrong_password(user: Account, service: str, stdin: bytes) -> None:
    """Also bytes that are no text."""
    code, line = check(stdin, user.name, service)
    assert code == 1
    assert "Authentication failure (7)" in line


def test_refusals_take_no_module_delay(user: Account, service: str) -> None:
    """pam_unix alone would hold the process for two seconds."""
    started = time.monotonic()
    check(b"wrong", user.name, service)
    assert time.monotonic() - started < 1.5


def test_refusals_look_alike_but_are_logged_apart(user: Account, service: str) -> None:
    """Unknown, locked, expired account: exit code 1 like a wrong password."""
    lines = {}
    lines["unknown"] = check(b"wrong", "rsc-nobody-here", service)
    run("usermod", "--lock", user.name)
    lines["locked"] = check(user.password.encode(), user.name, service)
    run("usermod", "--unlock", user.name)
    run("usermod", "--expiredate", "1", user.name)
    lines["expired"] = check(user.password.encode(), user.name, service)
    run("usermod", "--expiredate", "", user.name)
    assert {code for code, _ in lines.values()} == {1}
    assert "(10)" in lines["unknown"][1]
    assert "User account has expired (13)" in lines["expired"][1]
    assert "acct_mgmt" in lines["expired"][1]
    assert check(user.password.encode(), user.name, service)[0] == 0


def test_expired_password_must_be_changed(service: str) -> None:
    """Code 4 after the right password only; nothing is typed into "New password:"."""
    with account("rsc") as made:
        run("chage", "--lastday", "0", made.name)
        assert check(made.password.encode(), made.name, service)[0] == 4
        assert check(b"wrong", made.name, service)[0] == 1
        run("chage", "--lastday", "2020-01-01", "--maxdays", "1", "--inactive", "1", made.name)
        assert check(made.password.encode(), made.name, service)[0] == 1


def test_nologin_is_told_apart_in_the_log(user: Account) -> None:
    """The machine is being maintained."""
    stack = (
        "auth required pam_unix.so\naccount required pam_nologin.so file=/etc/hostname\naccount required pam_unix.so\n"
    )
    with installed_service(stack) as name:
        code, line = check(user.password.encode(), user.name, name)
    assert code == 1
    assert "acct_mgmt" in line


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a", "b", "c"),
        ("",),
        ("-h",),
        ("../x",),
        ("a b",),
        ("ann", "../../tmp/x"),
        ("ann", ""),
        ("ann", "x" * 65),
        ("ann", "-x"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...]) -> None:
    """2, before a byte of the password is read."""
    assert check(b"geheim", *arguments)[0] == 2


@pytest.mark.parametrize("stdin", [b"x" * 513, b"x" * 100_000, b"a\0b\n"])
def test_impossible_passwords(user: Account, service: str, stdin: bytes) -> None:
    """Too long, or cut by C."""
    assert check(stdin, user.name, service)[0] == 2


def test_password_at_the_limit(service: str) -> None:
    """512 bytes are let through to PAM."""
    assert check(b"x" * 512 + b"\n", "rsc-nobody-here", service)[0] == 1


def test_terminal_on_stdin_is_refused(user: Account, service: str) -> None:
    """It would show what is typed."""
    controller, terminal = pty.openpty()
    done = subprocess.run([*PROGRAM, user.name, service], stdin=terminal, capture_output=True, timeout=60, check=False)
    os.close(controller)
    os.close(terminal)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


def test_closed_stdin(user: Account, service: str) -> None:
    """An error, not a crash."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, user.name, service],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_control_characters_do_not_reach_the_log(tmp_path: Path, user: Account) -> None:
    """One line, whatever a prompt or module says."""
    (tmp_path / "text").write_text("evil\n\x1b[31mlog line")
    with installed_service(f"auth optional pam_echo.so file={tmp_path}/text\nauth required pam_deny.so\n") as name:
        code, line = check(b"x", user.name, name)
    assert code == 1
    assert "\x1b" not in line


def test_remote_host_from_the_environment(user: Account, tmp_path: Path) -> None:
    """PAM_RHOST of the environment is PAM's item of that name."""
    seen = tmp_path / "seen"
    with installed_service(
        f"auth required pam_exec.so quiet log={seen} /usr/bin/env\naccount required pam_permit.so\n"
    ) as name:
        assert check(b"x", user.name, name, PAM_RHOST="192.0.2.9")[0] == 0
    assert "PAM_RHOST=192.0.2.9" in seen.read_text().splitlines()


def test_without_root_other_peoples_passwords_cannot_be_checked(user: Account, service: str) -> None:
    """The program gives nothing to who may not run it as root."""
    done = subprocess.run(
        [*PROGRAM, user.name, service],
        input=user.password.encode(),
        capture_output=True,
        user=65534,
        group=65534,
        extra_groups=[],
        timeout=60,
        check=False,
    )
    assert done.returncode in {1, 3}


def test_console_script_and_module_do_the_same(user: Account, service: str) -> None:
    """Three ways to start it."""
    root = PROGRAM[3].rpartition("/rserver_pam/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "rserver_pam", user.name, service],
        input=user.password.encode(),
        capture_output=True,
        cwd=root,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    script = Path(sys.executable).with_name("rserver-pam")
    if script.exists():
        done = subprocess.run([script, user.name, service], input=b"no", capture_output=True, timeout=60, check=False)
        assert done.returncode == 1

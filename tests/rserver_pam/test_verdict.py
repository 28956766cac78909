"""Verdicts on real PAM stacks, without root: pam_matrix and friends from a directory of services."""

import os
import time
from pathlib import Path

import pytest

from rserver_pam.verdict import ACCEPTED, CHANGE_PASSWORD, FAILED, REFUSED, check_password
from tests.rserver_process.pam_services import CHATTY, MATRIX, ServiceDirectory

pytestmark = pytest.mark.skipif(not os.path.exists(MATRIX), reason="needs pam_wrapper (Debian: libpam-wrapper)")


@pytest.fixture
def services(tmp_path: Path) -> ServiceDirectory:
    """A directory of services; `m` knows ann."""
    made = ServiceDirectory(tmp_path)
    made.matrix("m", "ann:geheim")
    return made


def verdict(services: ServiceDirectory, service: str, password: str = "geheim", user: str = "ann") -> tuple[int, str]:
    """Exit code and line."""
    return check_password(user, password, service, confdir=services.path)


def test_accepted(services: ServiceDirectory) -> None:
    """And said so."""
    assert verdict(services, "m") == (ACCEPTED, "ann: accepted by PAM service m")


@pytest.mark.parametrize(("user", "password"), [("ann", "falsch"), ("ann", ""), ("eve", "geheim"), ("ann", "geheim ")])
def test_refused(services: ServiceDirectory, user: str, password: str) -> None:
    """One code; the reason is PAM's, and no word that was typed is in it."""
    code, line = verdict(services, "m", password, user)
    assert code == REFUSED
    assert line.startswith(f"{user}: authenticate of PAM service m: ")
    assert not password or password not in line


def test_account_that_is_not_allowed(services: ServiceDirectory) -> None:
    """The right password does not help."""
    services.add("d", "auth required pam_permit.so\naccount required pam_deny.so\n")
    code, line = verdict(services, "d")
    assert code == REFUSED
    assert "acct_mgmt" in line


@pytest.mark.parametrize(
    "stack",
    [
        "auth required pam_is_not_there.so\n",
        "auth required pam_debug.so auth=authinfo_unavail\n",
        "auth required pam_debug.so auth=system_err\n",
        "auth required pam_permit.so\naccount required pam_debug.so acct=buf_err\n",
    ],
)
def test_failure_of_pam_is_nobodys_wrong_password(services: ServiceDirectory, stack: str) -> None:
    """A broken module must not look like a typing error."""
    services.add("f", stack)
    assert verdict(services, "f")[0] == FAILED


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("new_authtok_reqd", CHANGE_PASSWORD),
        ("acct_expired", REFUSED),
        ("authtok_expired", REFUSED),
        ("perm_denied", REFUSED),
        ("user_unknown", REFUSED),
        ("success", ACCEPTED),
    ],
)
def test_verdict_of_the_account_stack(services: ServiceDirectory, result: str, code: int) -> None:
    """Only a password that may still be changed is told apart."""
    services.add("a", f"auth required pam_permit.so\naccount required pam_debug.so acct={result}\n")
    assert verdict(services, "a")[0] == code


def test_service_without_a_file_is_decided_by_other(services: ServiceDirectory) -> None:
    """Which denies."""
    assert verdict(services, "nothing-here")[0] == REFUSED


def test_missing_service_file_is_named() -> None:
    """The most frequent mistake of an installation by hand."""
    code, line = check_password("nobody", "x", "rstest-there-is-no-such-service")
    assert code in {REFUSED, FAILED}
    assert "there is no file /etc/pam.d/rstest-there-is-no-such-service" in line


def test_chatty_modules_do_not_disturb(services: ServiceDirectory) -> None:
    """Info and error messages before the password prompt."""
    database = Path(services.path) / "m.passdb"
    chat = f"auth optional {CHATTY} info error num_lines=5\n"
    services.add("c", chat + f"auth required {MATRIX} passdb={database}\n" + chat + "account required pam_permit.so\n")
    Path(services.path, "m.passdb").write_text("ann:geheim:c\n")
    assert verdict(services, "c")[0] == ACCEPTED


def test_second_factor_is_not_fed_with_the_password(services: ServiceDirectory) -> None:
    """Refused, and the log says what PAM asked for."""
    database = Path(services.path) / "m.passdb"
    database.write_text("ann:geheim:t\n")
    services.add(
        "t",
        f"auth required {MATRIX} passdb={database}\n"
        f"auth required {MATRIX} passdb={database} echo\n"
        "account required pam_permit.so\n",
    )
    code, line = verdict(services, "t")
    assert code == REFUSED
    assert "PAM asked for more than the password: 'Password:'" in line


def test_failure_delay_is_left_to_the_server(services: ServiceDirectory) -> None:
    """pam_faildelay asks for ten seconds."""
    services.add("s", "auth optional pam_faildelay.so delay=10000000\nauth required pam_deny.so\n")
    started = time.monotonic()
    assert verdict(services, "s")[0] == REFUSED
    assert time.monotonic() - started < 2


def test_credentials_are_not_touched(services: ServiceDirectory, tmp_path: Path) -> None:
    """setcred would write the user's tickets over root's."""
    mark = tmp_path / "touched"
    services.add(
        "k", f"auth required pam_exec.so quiet log={mark} /bin/echo $PAM_TYPE\naccount required pam_permit.so\n"
    )
    assert verdict(services, "k")[0] == ACCEPTED
    assert mark.read_text().count("***") == 1


def test_remote_host_reaches_the_modules(services: ServiceDirectory, tmp_path: Path) -> None:
    """For pam_access and pam_faillock."""
    seen = tmp_path / "seen"
    services.add("r", f"auth required pam_exec.so quiet log={seen} /usr/bin/env\naccount required pam_permit.so\n")
    assert check_password("ann", "x", "r", "192.0.2.7", services.path)[0] == ACCEPTED
    lines = seen.read_text().splitlines()
    assert "PAM_RHOST=192.0.2.7" in lines
    assert "PAM_TTY=rserver" in lines
    assert not any("geheim" in line for line in lines)

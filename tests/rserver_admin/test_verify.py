"""Whether an installation works, and what is said when it does not."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_admin.verify import server_checks, session_account
from rserver_admin.verify.session_checks import session, session_program
from rserver_admin.verify.trial_session import Trial
from rserver_core.r_installation import RInstallation
from rserver_core.r_scan import find_installation
from rserver_process.accounts import look_up
from rserver_process.keeper_settings import installed_rsession
from tests.rserver_admin.command import answer_of, rstudio_server
from tests.system.accounts import Account, account
from tests.system.running_server import ROOT, RunningServer


@pytest.fixture
def ann() -> Iterator[Account]:
    with account("rsf") as made:
        yield made


@pytest.fixture(scope="module")
def installed() -> RInstallation:
    return find_installation(path=os.environ["PATH"])


@pytest.fixture
def session_service() -> Iterator[str]:
    """The PAM service of sessions that we ship, under another name."""
    path = Path(f"/etc/pam.d/rsftest-{os.getpid()}")
    shutil.copy(ROOT / "etc" / "pam.d" / "rstudio-session", path)
    yield path.name
    path.unlink()


def _options(tmp_path: Path) -> tuple[str, ...]:
    places = (f"--server-data-dir={tmp_path}/run", f"--server-lib-dir={tmp_path}/lib")
    return (*places, "--www-address=127.0.0.1", "--www-port=0")


def test_a_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = server_checks.directory("server-lib-dir", tmp_path)
    assert not found.ok
    assert found.mend == f"chmod go-w {tmp_path}"
    tmp_path.chmod(0o755)
    assert server_checks.directory("server-lib-dir", tmp_path).ok
    assert server_checks.directory("server-lib-dir", tmp_path / "a" / "b").ok
    (tmp_path / "file").touch()
    assert not server_checks.directory("server-lib-dir", tmp_path / "file").ok
    assert not server_checks.directory("server-lib-dir", tmp_path / "file" / "below").ok


def test_a_run_directory_that_is_too_long_for_sockets() -> None:
    assert not server_checks.run_directory(Path("/tmp/" + "x" * 80)).ok


def test_a_port_in_use_and_a_foreign_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        found = server_checks.port("127.0.0.1", number)
    assert not found.ok
    assert f":{number}" in found.mend
    assert server_checks.port("127.0.0.1", 0).ok
    assert not server_checks.port("192.0.2.1", 0).ok


def test_accounts_that_cannot_be_the_servers() -> None:
    assert "useradd" in server_checks.account("nobody-here").mend
    assert not server_checks.account("root").ok


@pytest.mark.root
@pytest.mark.r
def test_everything_is_good_for_a_chosen_account(tmp_path: Path, ann: Account, session_service: str) -> None:
    pam = ("--auth-pam-service=login", f"--auth-pam-sessions-profile={session_service}")
    done = rstudio_server("verify-installation", "--json", f"--verify-user={ann.name}", *pam, *_options(tmp_path))
    checks = {check["name"]: check for check in answer_of(done)["checks"]}
    assert checks["session"]["ok"], checks["session"]
    assert ann.name in checks["session"]["text"]
    assert checks["PAM session"]["ok"], checks["PAM session"]
    assert list(ann.home.glob(".local/share/rstudio")) == []
    assert [path.name for path in Path("/tmp").glob("rserver-verify-*") if path.stat().st_uid == ann.uid] == []


@pytest.mark.root
def test_every_failure_is_named_with_its_mend(tmp_path: Path) -> None:
    wrong = (
        "--server-user=nobody-here",
        "--auth-pam-service=not-there",
        "--rsession-which-r=/bin/false",
        "--verify-user=root",
    )
    done = rstudio_server("verify-installation", *wrong, *_options(tmp_path))
    assert done.returncode == 1
    for part in ("no account nobody-here", "useradd", "no PAM service not-there", "install -m 644", "root"):
        assert part in done.stdout
    done = rstudio_server("verify-installation", "--rsession-which-r=/bin/false", *_options(tmp_path))
    assert "FAILED  R: /bin/false is no start script of R" in done.stdout


@pytest.mark.root
def test_it_is_refused_while_the_server_runs(server: RunningServer) -> None:
    done = rstudio_server("verify-installation", f"--server-data-dir={server.run_dir}")
    assert done.returncode == 1
    assert f"rserver runs (pid {server.master_pid})" in done.stderr


@pytest.mark.root
def test_a_pam_service_that_refuses_says_so(ann: Account) -> None:
    found = session_account.pam_session("no-such-service", look_up(ann.name))
    assert not found.ok
    assert "no-such-service" in found.text


@pytest.mark.root
@pytest.mark.r
def test_a_session_program_that_fails_is_quoted(installed: RInstallation, ann: Account, tmp_path: Path) -> None:
    account_of_ann = look_up(ann.name)
    assert session_program(installed_rsession(), installed, account_of_ann).ok
    program = ("/bin/sh", "-c", "echo no library of that name >&2; exit 4")
    assert "no library of that name" in session_program(program, installed, account_of_ann).text
    found = session(Trial(installed, program, {}), account_of_ann)
    assert not found.ok
    assert "no library of that name" in found.text
    assert "exit code 4" in found.text


def test_nginx_that_is_not_there(tmp_path: Path) -> None:
    missing = server_checks.nginx(str(tmp_path / "nginx"))
    assert not missing.ok
    assert "cannot be run" in missing.text

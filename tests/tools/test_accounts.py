"""Accounts and PAM profiles of the machine, as the set-up finds and leaves them."""

import pwd
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import accounts, pam_profiles

NAME = "rsvtools"


@pytest.fixture
def account() -> Iterator[str]:
    """An account without a password."""
    subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/bash", NAME], check=True)
    try:
        yield NAME
    finally:
        subprocess.run(["userdel", NAME], check=True)


def give_password(name: str) -> None:
    subprocess.run(["chpasswd"], input=f"{name}:correct horse 7\n", text=True, check=True)


@pytest.mark.root
def test_an_account_can_sign_in_when_it_has_a_password_and_a_shell(account: str) -> None:
    assert account not in accounts._ordinary_accounts()
    give_password(account)
    assert account in accounts._ordinary_accounts()
    subprocess.run(["usermod", "--shell", "/usr/sbin/nologin", account], check=True)
    assert account not in accounts._ordinary_accounts()


@pytest.mark.root
def test_a_locked_account_cannot_sign_in(account: str) -> None:
    give_password(account)
    subprocess.run(["usermod", "--lock", account], check=True)
    assert account not in accounts._ordinary_accounts()


@pytest.mark.root
def test_no_demo_account_where_somebody_can_sign_in(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "DEMO", "rsvnodemo")
    give_password(account)
    accounts.ensure_somebody_can_sign_in()
    with pytest.raises(KeyError):
        pwd.getpwnam("rsvnodemo")


@pytest.mark.root
def test_demo_account_has_a_secret_password_that_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "password"
    monkeypatch.setattr(accounts, "DEMO", "rsvdemo")
    monkeypatch.setattr(accounts, "_DEMO_PASSWORD", kept)
    monkeypatch.setattr(accounts, "_ordinary_accounts", list)
    try:
        accounts.ensure_somebody_can_sign_in()
        first = accounts.demo_password()
        accounts.ensure_somebody_can_sign_in()
        assert first is not None
        assert accounts.demo_password() == first
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert accounts._can_sign_in(pwd.getpwnam("rsvdemo"))
    finally:
        subprocess.run(["userdel", "--remove", "rsvdemo"], capture_output=True)


def test_a_password_of_somebody_elses_account_is_never_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that happens to have the demo account's name."""

    def never() -> None:
        raise AssertionError("the password was set")

    monkeypatch.setattr(accounts, "DEMO", "daemon")
    monkeypatch.setattr(accounts, "_DEMO_PASSWORD", tmp_path / "password")
    monkeypatch.setattr(accounts, "_set_demo_password", never)
    monkeypatch.setattr(accounts, "_ordinary_accounts", lambda: ["ann"])
    accounts.ensure_somebody_can_sign_in()


def test_pam_profiles_are_installed_once_and_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pam_profiles, "_SYSTEM", tmp_path)
    (tmp_path / "rstudio").write_text("# the administrator's\n")
    pam_profiles.ensure()
    assert (tmp_path / "rstudio").read_text() == "# the administrator's\n"
    assert "pam_limits" in (tmp_path / "rstudio-session").read_text()
    assert stat.S_IMODE((tmp_path / "rstudio-session").stat().st_mode) == 0o644

"""Which accounts may run a session."""

import os
import pwd

import pytest

from rserver_process.accounts import Account, AccountRefused, check, look_up
from tests.rserver_process.forked import in_child
from tests.system import accounts


def account(uid: int, gid: int) -> Account:
    """An account with these numbers."""
    return Account("somebody", uid, gid, "/home/somebody", "/bin/bash", (gid,))


def test_an_account_is_looked_up_with_its_groups() -> None:
    """As the system spells it."""
    own = pwd.getpwuid(os.geteuid())
    found = look_up(own.pw_name)
    assert (found.name, found.uid, found.gid, found.home) == (own.pw_name, own.pw_uid, own.pw_gid, own.pw_dir)
    assert own.pw_gid in found.groups


@pytest.mark.parametrize("name", ["", "rsc-nobody-here", "-rf", "../root", "a b", "x" * 300, "root\n", "é"])
def test_what_is_no_account_is_refused(name: str) -> None:
    """Odd names never reach the name service."""
    with pytest.raises(AccountRefused):
        look_up(name)


@pytest.mark.root
@pytest.mark.parametrize(("uid", "gid"), [(0, 1000), (1000, 0), (999, 1000), (1, 1)])
def test_system_accounts_are_refused(uid: int, gid: int) -> None:
    """Root in whatever shape, and uids below the minimum."""
    with pytest.raises(AccountRefused):
        check(account(uid, gid), 1000)


@pytest.mark.root
def test_root_is_refused_whatever_the_minimum() -> None:
    """The option cannot open that door."""
    with pytest.raises(AccountRefused, match="root"):
        check(account(0, 0), 0)


@pytest.mark.root
def test_ordinary_account_is_let_in() -> None:
    """At the minimum and above."""
    check(account(1000, 1000), 1000)


@pytest.mark.root
def test_without_root_only_ourselves(user: accounts.Account, stranger: accounts.Account) -> None:
    """The minimum does not count there."""

    def as_user(uid: int) -> None:
        os.setgid(user.uid)
        os.setuid(user.uid)
        check(account(uid, uid), 60000)

    in_child(lambda: as_user(user.uid))
    with pytest.raises(RuntimeError, match="not the user who runs"):
        in_child(lambda: as_user(stranger.uid))

"""Accounts of the machine as the privileged programs see them, and the rule which of them may run a session."""

import os
import pwd
from dataclasses import dataclass

from rserver_core.user_name import is_user_name


class AccountRefused(Exception):
    """This account must not run a session; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account; name as the system spells it, groups with the primary one."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    groups: tuple[int, ...]


def look_up(name: str) -> Account:
    """The account of that name; AccountRefused when there is none. May block on a directory service."""
    if not is_user_name(name):
        raise AccountRefused("this name is not allowed")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise AccountRefused(f"there is no account {name}") from None
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, tuple(groups))


def check(account: Account, minimum_uid: int, uid: int = -1) -> None:
    """AccountRefused unless this process may run a session as that account, whoever asks for it.

    uid: the number that the account had when its session was made; -1: any.
    """
    if uid not in {-1, account.uid}:
        raise AccountRefused(f"the account {account.name} has the uid {account.uid}, the session belongs to uid {uid}")
    if account.uid == 0 or account.gid == 0:
        raise AccountRefused(f"{account.name} is root or has root's group")
    own = os.geteuid()
    if own != 0 and account.uid != own:
        raise AccountRefused(f"{account.name} is not the user who runs this server")
    if own == 0 and account.uid < minimum_uid:
        raise AccountRefused(f"the uid {account.uid} of {account.name} is below {minimum_uid}")

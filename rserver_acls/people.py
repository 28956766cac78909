"""The accounts that a request names."""

import os
import pwd
from typing import NamedTuple

from rserver_acls.refusal import Refusal
from rserver_core.nobody import NOBODY_UIDS


class Person(NamedTuple):
    """An account that takes part in sharing."""

    name: str
    uid: int
    gid: int
    home: str


def person(name: str, minimum_uid: int) -> Person:
    """The account of that name; Refusal when there is none, or none that may take part. Nothing is kept for later."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Refusal("unknown_user", f"There is no account {name} on this machine.") from None
    if entry.pw_uid in NOBODY_UIDS or entry.pw_uid == 0 or entry.pw_uid < minimum_uid:
        raise Refusal("unknown_user", f"The account {name} may not take part in sharing: its uid is {entry.pw_uid}.")
    return Person(name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def groups_of(name: str) -> frozenset[int]:
    """Every group of an account; none when it is gone."""
    try:
        return frozenset(os.getgrouplist(name, pwd.getpwnam(name).pw_gid))
    except KeyError:
        return frozenset()


def service_account(name: str) -> tuple[int, int]:
    """uid and gid that the walled-in part runs under; Refusal when there is no such account."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        message = f"The account {name}, under which access is changed, is missing; `useradd --system {name}` makes it."
        raise Refusal("failed", message) from None
    if entry.pw_uid == 0 or entry.pw_gid == 0:
        raise Refusal("failed", f"The account {name}, under which access is changed, must not be root.")
    return entry.pw_uid, entry.pw_gid

"""Accounts with which a project could be shared. Blocking."""

import grp
import pwd
import time
from dataclasses import dataclass

from rserver_core.nobody import NOBODY_UIDS
from rserver_core.user_name import is_user_name, shown_name
from rsession.sharing.terms import Terms

MOST_FOUND = 50
_MOST_ACCOUNTS = 100_000
_KEEP_SECONDS = 30.0
_NO_SHELLS = ("nologin", "false")


@dataclass(frozen=True, slots=True)
class Person:
    """An account, and what its entry calls its owner."""

    name: str
    full_name: str

    def described(self) -> dict[str, str]:
        """What pages are told."""
        return {"name": self.name, "full_name": self.full_name}


def person(name: str) -> Person:
    """The account of this name, also when there is none."""
    try:
        return Person(name, shown_name(name, pwd.getpwnam(name).pw_gecos))
    except KeyError:
        return Person(name, name)


def person_of_uid(uid: int) -> Person | None:
    """None when the uid has no account here."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Person(entry.pw_name, shown_name(entry.pw_name, entry.pw_gecos))


class Directory:
    """The accounts of the machine, as far as the name service lists them; by one thread at a time."""

    def __init__(self, terms: Terms, own_uid: int) -> None:
        self._terms, self._own = terms, own_uid
        self._known: tuple[float, list[Person]] = (float("-inf"), [])

    def find(self, query: str, limit: int) -> list[Person]:
        """Those whose name or full name begins with the query, then those in which it is found."""
        wanted = query.casefold().strip()
        begins, holds = [], []
        for each in self._all():
            names = (each.name.casefold(), *each.full_name.casefold().split())
            if any(name.startswith(wanted) for name in (*names, each.full_name.casefold())):
                begins.append(each)
            elif any(wanted in name for name in names):
                holds.append(each)
        return [*begins, *holds][: min(limit, MOST_FOUND)]

    def exactly(self, name: str) -> Person | None:
        """Only whether a project could be shared with this account, nothing else of it."""
        if not is_user_name(name):
            return None
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        is_good = entry.pw_name == name and self._may(entry, self._in_groups())
        return Person(name, "") if is_good else None

    def _all(self) -> list[Person]:
        read_at, found = self._known
        if time.monotonic() - read_at > _KEEP_SECONDS:
            in_groups = self._in_groups()
            entries = [entry for entry, _ in zip(pwd.getpwall(), range(_MOST_ACCOUNTS), strict=False)]
            people = {
                entry.pw_name: Person(entry.pw_name, shown_name(entry.pw_name, entry.pw_gecos))
                for entry in entries
                if self._may(entry, in_groups) and not entry.pw_shell.endswith(_NO_SHELLS)
            }
            found = sorted(people.values(), key=lambda each: each.name)
            self._known = (time.monotonic(), found)
        return found

    def _may(self, entry: pwd.struct_passwd, in_groups: tuple[set[int], set[str]] | None) -> bool:
        if entry.pw_uid < max(1, self._terms.minimum_uid) or entry.pw_uid in {self._own, *NOBODY_UIDS}:
            return False
        return in_groups is None or entry.pw_gid in in_groups[0] or entry.pw_name in in_groups[1]

    def _in_groups(self) -> tuple[set[int], set[str]] | None:
        """Numbers and members of the groups that may sign in; None: everybody may."""
        if not self._terms.groups:
            return None
        numbers: set[int] = set()
        names: set[str] = set()
        for group in self._terms.groups:
            try:
                entry = grp.getgrnam(group)
            except KeyError:
                continue
            numbers.add(entry.gr_gid)
            names |= set(entry.gr_mem)
        return numbers, names

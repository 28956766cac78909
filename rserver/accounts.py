"""Linux accounts, asked in threads with a time limit and kept for a short while: name services may be slow or hang."""

import grp
import os
import pwd
from collections.abc import Callable

from rserver.clock import Clock
from rserver.sign_in.policy import Account
from rserver.worker_threads import WorkerThreads
from rserver_core.user_name import shown_name

LIMIT_SECONDS = 10.0
KEEP_SECONDS = 30.0
_MOST_KEPT = 2048

Lookup = Callable[[str], Account | None]


def look_up(name: str) -> Account | None:
    """The account of that name with all its groups. Blocks."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = filter(None, map(_group_name, os.getgrouplist(entry.pw_name, entry.pw_gid)))
    place = (entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell)
    return Account(*place, frozenset(groups), shown_name(entry.pw_name, entry.pw_gecos))


def _group_name(gid: int) -> str | None:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None


class Accounts:
    """Answers who an account name is. Unknown names are not kept: a new account must be able to come in at once.

    on_found is told of each account that the name service names.
    """

    def __init__(self, clock: Clock, threads: WorkerThreads, lookup: Lookup = look_up) -> None:
        self._clock, self._threads, self._lookup = clock, threads, lookup
        self._kept: dict[str, tuple[float, Account]] = {}
        self.on_found: Callable[[Account], object] = lambda account: None

    async def get(self, name: str, *, fresh: bool = False) -> Account | None:
        """The account or None; fails with ThreadTimeout or ThreadsBusy. fresh: do not use what is kept."""
        now = self._clock.seconds()
        kept = self._kept.get(name)
        if kept is not None and not fresh and now - kept[0] < KEEP_SECONDS:
            return kept[1]
        account = await self._threads.run_within(LIMIT_SECONDS, self._clock, lambda: self._lookup(name))
        self._keep(name, account)
        return account

    def _keep(self, name: str, account: Account | None) -> None:
        self._kept.pop(name, None)
        if account is None:
            return
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (self._clock.seconds(), account)
        self.on_found(account)

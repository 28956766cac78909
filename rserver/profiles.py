"""What the profiles say for a user where the worker heeds it: sessions, R, times. Root itself holds the limits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted.logger import Logger

from rserver.accounts import Accounts
from rserver.clock import Clock
from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads
from rserver_core.profiles import published
from rserver_core.profiles.profile import NOTHING, Profile
from rserver_core.profiles.profiles import Profiles
from rserver_core.r_version import RVersion
from rserver_core.server_warnings import of_profiles

READ_SECONDS = 10.0
_MOST_KNOWN = 2048

_log = Logger()


@dataclass(slots=True)
class UserProfiles:
    """`of` is the one answer to "what may this user have"; profiles are what the master published."""

    accounts: Accounts
    profiles: Profiles = field(default_factory=Profiles)
    _groups: dict[str, frozenset[str]] = field(default_factory=dict)

    async def read(self, run_dir: str, threads: WorkerThreads, clock: Clock) -> None:
        """Take over what the master published; what cannot be read is logged, and what counted before goes on."""
        try:
            self.profiles = await threads.run_within(READ_SECONDS, clock, lambda: published.read(run_dir))
        except (published.Unreadable, ThreadsBusy, ThreadTimeout) as error:
            _log.error("{error}", error=str(error))

    async def look_over(self, versions: Sequence[RVersion], threads: WorkerThreads, clock: Clock) -> None:
        """Log what they name that is not on this machine; fails with ThreadsBusy or ThreadTimeout."""
        profiles = self.profiles
        for doubt in await threads.run_within(READ_SECONDS, clock, lambda: of_profiles(profiles, versions)):
            _log.warn("{doubt}", doubt=doubt)

    async def of(self, user: str) -> Profile:
        """The profile of that user; account and groups are asked at most every 30 seconds."""
        if self.profiles.groups:
            await self._ask(user)
        return self.known(user)

    def known(self, user: str) -> Profile:
        """As `of`, without asking: groups are those of the last answer, none before the first."""
        return self.profiles.of(user, self._groups.get(user, frozenset())) if self.profiles.sections else NOTHING

    def section_of(self, user: str, key: str) -> str:
        """The section of the file that decides that key for this user, as `known`; empty: none."""
        return self.profiles.section_of(user, self._groups.get(user, frozenset()), key)

    async def _ask(self, user: str) -> None:
        try:
            account = await self.accounts.get(user)
        except (ThreadsBusy, ThreadTimeout) as error:
            _log.warn("groups of {user} for the profiles: {error}", user=user, error=str(error))
            return
        self._groups.pop(user, None)
        if len(self._groups) >= _MOST_KNOWN:
            del self._groups[next(iter(self._groups))]
        self._groups[user] = account.groups if account else frozenset()

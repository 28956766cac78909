"""Whether an account that signed in is still the same one: its name has its uid, as the name service says.

What is good is believed for a while and looked at again meanwhile, so that no request waits for a name service unless
nothing is known. A name that nobody has may be one of a directory that is away: only after some time is its account
refused, and only after a long time gone. A name or number that somebody else has is refused at once.
"""

import pwd
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from rserver.clock import Clock
from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads

LIMIT_SECONDS = 10.0
FRESH_SECONDS = 10.0
GOOD_SECONDS = 60.0
BAD_SECONDS = 2.0
DOUBT_SECONDS = 60.0
SURE_SECONDS = 3600.0
_MOST_KEPT = 4096
_AT_ONCE = 64

UNANSWERED = "The account database of this machine does not answer. Try again in a moment."

Account = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Holder:
    """What the name service knows: the uid of a name, and the name of the uid that it should have; None: nothing."""

    uid: int | None
    name: str | None


Whose = Callable[[str, int], Holder]


def whose(user: str, uid: int) -> Holder:
    """Asks the name service. Blocks."""
    try:
        found = pwd.getpwnam(user).pw_uid
    except KeyError:
        found = None
    if found == uid:
        return Holder(found, user)
    try:
        return Holder(found, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return Holder(found, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found: problem is a sentence, empty when all is well; at: seconds of the clock.

    unknown_since: since when nobody has the name nor the uid.
    is_sure: somebody else has the name or the uid, or nobody had them for SURE_SECONDS.
    is_unknown: nobody has that name.
    """

    problem: str
    at: float
    unknown_since: float | None = None
    is_sure: bool = False
    is_unknown: bool = False

    @property
    def keeps(self) -> float:
        """How long it is believed."""
        return BAD_SECONDS if self.problem else GOOD_SECONDS


class Standings:
    """Answers whether (user, uid) is an account; remembers the answers."""

    def __init__(self, clock: Clock, threads: WorkerThreads, ask: Whose = whose) -> None:
        self._clock, self._threads, self._ask = clock, threads, ask
        self._kept: dict[Account, Standing] = {}
        self._asking: set[Account] = set()

    def seen(self, user: str, uid: int) -> None:
        """The name service has just said so."""
        self._keep((user, uid), Standing("", self._clock.seconds()))

    def known(self, user: str, uid: int) -> str | None:
        """What is wrong with it, empty when nothing is; None when it must be asked. Never blocks."""
        found, now = self._kept.get((user, uid)), self._clock.seconds()
        if found is None or now - found.at >= found.keeps:
            return None
        if now - found.at >= FRESH_SECONDS and (user, uid) not in self._asking:
            Deferred.fromCoroutine(self.look([(user, uid)]))
        return found.problem

    async def problem(self, user: str, uid: int) -> str:
        """What is wrong with it, empty when nothing is. Asks where nothing is known."""
        known = self.known(user, uid)
        if known is not None:
            return known
        await self.look([(user, uid)])
        found = self._kept.get((user, uid))
        return found.problem if found is not None else UNANSWERED

    def gone(self, user: str, uid: int) -> Standing | None:
        """How it stands when that is surely no account any more."""
        found = self._kept.get((user, uid))
        return found if found is not None and found.is_sure else None

    async def look(self, accounts: Iterable[Account]) -> None:
        """Ask anew for these. Where there is no answer what was known stays known."""
        waiting = list(accounts)
        for start in range(0, len(waiting), _AT_ONCE):
            await self._look_at(waiting[start : start + _AT_ONCE])

    async def _look_at(self, accounts: list[Account]) -> None:
        self._asking.update(accounts)
        try:
            found = await self._threads.run_within(
                LIMIT_SECONDS, self._clock, lambda: [self._ask(*account) for account in accounts]
            )
        except (ThreadTimeout, ThreadsBusy, OSError):
            return
        finally:
            self._asking.difference_update(accounts)
        for account, holder in zip(accounts, found, strict=True):
            self._keep(account, self._judged(account, holder))

    def _judged(self, account: Account, holder: Holder) -> Standing:
        now, problem = self._clock.seconds(), _problem(*account, holder)
        if not problem or holder.uid is not None or holder.name is not None:
            return Standing(problem, now, None, bool(problem), holder.uid is None)
        before = self._kept.get(account)
        since = now if before is None or before.unknown_since is None else before.unknown_since
        is_doubtful = before is not None and not before.problem and now - since < DOUBT_SECONDS
        return Standing("" if is_doubtful else problem, now, since, now - since >= SURE_SECONDS, True)

    def _keep(self, account: Account, standing: Standing) -> None:
        self._kept.pop(account, None)
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[account] = standing


def _problem(user: str, uid: int, holder: Holder) -> str:
    if holder.uid == uid:
        return ""
    if holder.uid is not None:
        return f"The account {user} has another number (uid) on this machine than when you signed in."
    return f"The account {user} does not exist on this machine any more."

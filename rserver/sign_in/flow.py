"""From a name and a password to an account: penalty, turn, PAM, policy, audit, pace - in this order for everybody."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from rserver.accounts import Accounts
from rserver.clock import Clock, sleep
from rserver.master_client import MasterError
from rserver.sign_in.audit import AuditLog
from rserver.sign_in.pace import RefusalPace, next_step
from rserver.sign_in.penalties import Penalties, network
from rserver.sign_in.policy import Account, Refusal, SignInPolicy, Trouble, refusal_by_exit
from rserver.sign_in.turns import TooMany, Turns
from rserver.worker_threads import ThreadsBusy, ThreadTimeout
from rserver_core.user_name import is_user_name

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rserver_core.frame import Message

MAX_PASSWORD_BYTES = 512

_log = Logger()


class Master(Protocol):
    """The part of the master client that checks passwords."""

    def request(self, op: str, **fields: str) -> "Deferred[Message]":
        """The master's answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, where from (address), and whether the browser had signed in as this user before."""

    user: str
    password: str = field(repr=False)
    address: str = ""
    known_browser: bool = False


Outcome = Account | Refusal | Trouble


@dataclass(slots=True)
class Lanes:
    """Limits of one user, of one address, and of PAM checks in all. A penalty is served before a check is taken."""

    users: Turns = field(default_factory=lambda: Turns(2, 400, 400, 8))
    addresses: Turns = field(default_factory=lambda: Turns(8, 400, 400, 64))
    checks: Turns = field(default_factory=lambda: Turns(12, 12, 400, 400))


@dataclass(slots=True)
class SignInFlow:
    """Decides on attempts. Keeps penalties, limits and pace for the life of the worker."""

    clock: Clock
    master: Master
    accounts: Accounts
    audit: AuditLog
    policy: SignInPolicy
    penalties: Penalties = field(default_factory=Penalties)
    lanes: Lanes = field(default_factory=Lanes)
    pace: RefusalPace = field(default_factory=RefusalPace)

    async def check(self, attempt: Attempt) -> Outcome:
        """The account, or why not. Refusals of every kind come at the same moments."""
        begun = self.clock.seconds()
        outcome = await self._decide(attempt)
        self._count(attempt, outcome)
        self._record(attempt, outcome)
        if not isinstance(outcome, Account):
            await self._wait_for_step(begun)
        return outcome

    async def _decide(self, attempt: Attempt) -> Outcome:
        try:
            async with self.lanes.users.turn(attempt.user), self.lanes.addresses.turn(network(attempt.address)):
                await self._serve_penalty(attempt)
                return await self._check_at_pace(attempt)
        except TooMany:
            return Trouble.BUSY

    async def _serve_penalty(self, attempt: Attempt) -> None:
        # A browser that this user signed in with before does not pay for strangers' guesses at the name.
        user = "" if attempt.known_browser else attempt.user
        delay = self.penalties.delay(user, attempt.address, self.clock.seconds())
        if delay > 0:
            await sleep(self.clock, delay)

    async def _check_at_pace(self, attempt: Attempt) -> Outcome:
        begun = self.clock.seconds()
        outcome = await self._ask(attempt)
        if outcome is Refusal.REFUSED_BY_PAM:
            self.pace.refused_by_pam(self.clock.seconds() - begun)
        elif isinstance(outcome, Refusal):
            missing = self.pace.imitation() - (self.clock.seconds() - begun)
            await sleep(self.clock, max(0.0, missing))
        return outcome

    async def _ask(self, attempt: Attempt) -> Outcome:
        if not is_user_name(attempt.user):
            return Refusal.BAD_NAME
        if not attempt.password:
            return Refusal.EMPTY_PASSWORD
        by_pam = await self._ask_pam(attempt)
        return by_pam if by_pam is not None else await self._admit(attempt)

    async def _ask_pam(self, attempt: Attempt) -> Refusal | Trouble | None:
        try:
            async with self.lanes.checks.turn(""):
                answer = await self.master.request("check_password", user=attempt.user, password=attempt.password)
        except MasterError as error:
            _log.warn("check_password: {code}: {message}", code=error.code, message=error.message)
            return _by_master_error(error.code)
        return refusal_by_exit(int(answer.get("exit", 3)))

    async def _admit(self, attempt: Attempt) -> Outcome:
        try:
            account = await self.accounts.get(attempt.user, fresh=True)
        except (ThreadTimeout, ThreadsBusy, OSError):
            return Trouble.ACCOUNTS
        return self.policy.refusal(account) or account or Refusal.NO_ACCOUNT

    def _count(self, attempt: Attempt, outcome: Outcome) -> None:
        if isinstance(outcome, Account):
            self.penalties.succeeded(attempt.user)
        elif isinstance(outcome, Refusal):
            self.penalties.failed(attempt.user, attempt.address, self.clock.seconds())

    def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        if isinstance(outcome, Account):
            self.audit.record("sign_in", user=outcome.name, address=attempt.address, uid=outcome.uid)
        else:
            event = "sign_in_refused" if isinstance(outcome, Refusal) else "sign_in_failed"
            self.audit.record(event, user=attempt.user, address=attempt.address, reason=outcome.value)

    async def _wait_for_step(self, begun: float) -> None:
        elapsed = self.clock.seconds() - begun
        await sleep(self.clock, next_step(elapsed) - elapsed)


def _by_master_error(code: str) -> Refusal | Trouble:
    match code:
        case "bad_request" | "refused":
            return Refusal.BAD_NAME
        case "busy":
            return Trouble.BUSY
        case "timeout":
            return Trouble.PAM_FAILED
        case _:
            return Trouble.MASTER

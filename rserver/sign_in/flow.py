"""From a name and a password to an account: penalty, turn, PAM, policy, audit, pace - in this order for everybody."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rserver.accounts import Accounts
from rserver.clock import Clock, sleep
from rserver.master_client import MasterError
from rserver.sign_in.audit import AuditLog
from rserver.sign_in.pace import RefusalPace, next_step
from rserver.sign_in.penalties import Penalties, network
from rserver.sign_in.policy import Account, Denial, Refusal, SignInPolicy, Trouble, refusal_by_exit
from rserver.sign_in.turns import TooMany, Turns
from rserver.worker_threads import ThreadsBusy, ThreadTimeout
from rserver_core.user_name import is_user_name

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rserver_core.frame import Message

MAX_PASSWORD_BYTES = 512
_NO_LINE = frozenset("\0\r\n")


class Master(Protocol):
    """The part of the master client that checks passwords."""

    def request(self, op: str, **fields: str) -> "Deferred[Message]":
        """The master's answer."""


class Secret:
    """A password that can be taken once, so that nobody keeps it by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def take(self) -> str:
        """The text; it is forgotten here."""
        text, self._text = self._text, ""
        return text


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, where from (address), and whether the browser had signed in as this user before."""

    user: str
    password: Secret = field(repr=False)
    address: str
    known_browser: bool = False


Outcome = Account | Denial


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
            return Denial(Trouble.BUSY)

    async def _serve_penalty(self, attempt: Attempt) -> None:
        # A browser that this user signed in with before does not pay for strangers' guesses at the name.
        user = "" if attempt.known_browser else attempt.user
        delay = self.penalties.delay(user, attempt.address, self.clock.seconds())
        if delay > 0:
            await sleep(self.clock, delay)

    async def _check_at_pace(self, attempt: Attempt) -> Outcome:
        begun = self.clock.seconds()
        outcome = await self._ask(attempt)
        if isinstance(outcome, Account) or isinstance(outcome.kind, Trouble):
            return outcome
        if outcome.kind is Refusal.REFUSED_BY_PAM:
            self.pace.refused_by_pam(self.clock.seconds() - begun)
        else:
            missing = self.pace.imitation() - (self.clock.seconds() - begun)
            await sleep(self.clock, max(0.0, missing))
        return outcome

    async def _ask(self, attempt: Attempt) -> Outcome:
        password = attempt.password.take()
        if not is_user_name(attempt.user):
            return Denial(Refusal.BAD_NAME)
        if not _is_password(password):
            return Denial(Refusal.BAD_PASSWORD)
        return await self._ask_pam(attempt, password) or await self._admit(attempt)

    async def _ask_pam(self, attempt: Attempt, password: str) -> Denial | None:
        try:
            async with self.lanes.checks.turn(""):
                asked = self.master.request(
                    "check_password", user=attempt.user, password=password, address=attempt.address
                )
                del password
                answer = await asked
        except MasterError as error:
            return Denial(_by_master_error(error.code), f"{error.code}: {error.message}")
        code = answer.get("exit")
        kind = refusal_by_exit(code if isinstance(code, int) else 3)
        return None if kind is None else Denial(kind, str(answer.get("reason", "")).strip())

    async def _admit(self, attempt: Attempt) -> Outcome:
        try:
            account = await self.accounts.get(attempt.user, fresh=True)
        except (ThreadTimeout, ThreadsBusy, OSError):
            return Denial(Trouble.ACCOUNTS)
        refusal = self.policy.refusal(account)
        return account if account is not None and refusal is None else Denial(refusal or Refusal.NO_ACCOUNT)

    def _count(self, attempt: Attempt, outcome: Outcome) -> None:
        if isinstance(outcome, Account):
            self.penalties.succeeded(attempt.user)
        elif isinstance(outcome.kind, Refusal):
            self.penalties.failed(attempt.user, attempt.address, self.clock.seconds())

    def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        if isinstance(outcome, Account):
            self.audit.record("sign_in", user=outcome.name, address=attempt.address, uid=outcome.uid)
        else:
            event = "sign_in_refused" if isinstance(outcome.kind, Refusal) else "sign_in_failed"
            self.audit.record(event, user=attempt.user, address=attempt.address, reason=outcome.reason)

    async def _wait_for_step(self, begun: float) -> None:
        elapsed = self.clock.seconds() - begun
        await sleep(self.clock, next_step(elapsed) - elapsed)


def _is_password(text: str) -> bool:
    return 0 < len(text.encode("utf-8", "surrogatepass")) <= MAX_PASSWORD_BYTES and _NO_LINE.isdisjoint(text)


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

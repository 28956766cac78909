import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.accounts import Accounts
from rserver.master_client import MasterError
from rserver.sign_in.flow import Attempt, Outcome, Secret, SignInFlow
from rserver.sign_in.policy import Account, Denial, Refusal, SignInPolicy, Trouble
from tests.rserver.doubles import FakeMaster, HungThreads, SlowPam, ThreadsAtOnce

ACCOUNTS = {
    "alice": Account("alice", 1001, 1001, "/home/alice", "/bin/bash", frozenset({"users"})),
    "bob": Account("bob", 1002, 1002, "/home/bob", "/bin/bash", frozenset({"users"})),
    "root": Account("root", 0, 0, "/root", "/bin/bash", frozenset({"users"})),
    "guest": Account("guest", 1003, 1003, "/home/guest", "/bin/bash", frozenset({"guest"})),
    "locked": Account("locked", 1004, 1004, "/home/locked", "/bin/bash", frozenset({"users"})),
    "expired": Account("expired", 1005, 1005, "/home/expired", "/bin/bash", frozenset({"users"})),
}
PASSWORDS = dict.fromkeys(ACCOUNTS, "right")


class RecordingAudit:
    """Keeps what would be written."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, event: str, **fields: str | int) -> None:
        self.lines.append({"event": event, **fields})


class House:
    """A flow with its surroundings; outcomes with the moment they came."""

    def __init__(self, master: Any = None, failure_delay: float = 0.0, threads: Any = None) -> None:
        HOUSES.append(self)
        self.clock = Clock()
        self._numbers = itertools.count()
        self.pam = SlowPam(self.clock, PASSWORDS, failure_delay)
        self.pam.exits = {"locked": 1, "expired": 4}
        self.audit = RecordingAudit()
        accounts = Accounts(self.clock, threads or ThreadsAtOnce(), ACCOUNTS.get)
        policy = SignInPolicy(1000, frozenset({"users"}))
        self.flow = SignInFlow(self.clock, master or self.pam, accounts, self.audit, policy)  # type: ignore[arg-type]
        self.outcomes: dict[str, tuple[float, Outcome]] = {}

    def attempt(self, user: str, password: str = "right", address: str = "192.0.2.1", **more: bool) -> str:
        key = f"{user} {next(self._numbers)}"
        begun = self.clock.seconds()
        done = Deferred.fromCoroutine(self.flow.check(Attempt(user, Secret(password), address, **more)))
        done.addCallback(lambda outcome: self.outcomes.__setitem__(key, (self.clock.seconds() - begun, outcome)))
        return key

    def run(self, seconds: float = 100.0) -> None:
        self.clock.pump([0.01] * round(seconds * 100))

    def result(self, user: str, password: str = "right", **more: Any) -> tuple[float, Outcome]:
        key = self.attempt(user, password, **more)
        while key not in self.outcomes and self.clock.seconds() < 1000:
            self.clock.advance(0.01)
        return self.outcomes[key]


HOUSES: list[House] = []


@pytest.fixture(autouse=True)
def _everybody_goes_home() -> Iterator[None]:
    """Nobody is left waiting when a test ends: what hangs would be torn down in any order later."""
    yield
    while HOUSES:
        house = HOUSES.pop()
        for _ in range(60):
            house.clock.advance(10)


REFUSED: dict[str, Callable[[], tuple[str, str]]] = {
    "wrong password": lambda: ("alice", "wrong"),
    "unknown": lambda: ("nobody-here", "right"),
    "locked": lambda: ("locked", "right"),
    "expired": lambda: ("expired", "right"),
    "uid too low": lambda: ("root", "right"),
    "not in group": lambda: ("guest", "right"),
    "no account name": lambda: ("-x\x00", "right"),
    "empty password": lambda: ("alice", ""),
    "password of two lines": lambda: ("alice", "right\nx"),
}


def test_the_right_password_opens_at_once() -> None:
    house = House()
    seconds, outcome = house.result("alice")
    assert outcome == ACCOUNTS["alice"]
    assert seconds < 0.1
    assert house.audit.lines == [{"event": "sign_in", "user": "alice", "address": "192.0.2.1", "uid": 1001}]


@pytest.mark.parametrize("kind", REFUSED)
def test_refusals_of_every_kind_come_at_the_same_moment(kind: str) -> None:
    seconds, outcome = House().result(*REFUSED[kind]())
    assert isinstance(outcome, Denial)
    assert isinstance(outcome.kind, Refusal)
    assert seconds == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("kind", REFUSED)
def test_they_do_so_when_pam_delays_failures(kind: str) -> None:
    house = House(failure_delay=2.0)
    for _ in range(2):
        house.result("bob", "wrong", address="192.0.2.99")
    seconds, _ = house.result(*REFUSED[kind]())
    assert seconds == pytest.approx(3.0, abs=0.02)


def test_they_are_logged_apart() -> None:
    reasons = set()
    for kind in REFUSED.values():
        house = House()
        house.result(*kind())
        (line,) = house.audit.lines
        assert line["event"] == "sign_in_refused"
        assert "right" not in str(line)
        reasons.add(line["reason"].partition(":")[0])
    assert len(reasons) == 6


def test_right_passwords_are_asked_of_pam_before_the_policy() -> None:
    house = House()
    house.result("root")
    house.result("guest")
    house.result("nobody-here")
    assert house.pam.asked == ["root", "guest", "nobody-here"]


def test_a_slow_module_of_one_user_delays_nobody_else() -> None:
    house = House()
    house.pam.seconds["bob"] = 10.0
    for _ in range(6):
        house.attempt("bob")
    key = house.attempt("alice")
    house.run(0.2)
    assert house.outcomes[key][1] == ACCOUNTS["alice"]
    assert house.pam.asked.count("bob") == 2


def test_at_most_twelve_checks_run_at_once() -> None:
    house = House()
    for number in range(30):
        house.pam.seconds[f"user{number}"] = 5.0
        house.attempt(f"user{number}", "x", address=f"192.0.2.{number}")
    house.run(60)
    assert house.pam.most_running == 12
    assert len(house.outcomes) == 30


def test_penalties_hold_no_check() -> None:
    house = House()
    for number in range(12):
        for _ in range(9):
            house.flow.penalties.failed(f"victim{number}", f"198.51.100.{number}", 0.0)
        house.attempt(f"victim{number}", "x", address=f"198.51.100.{number}")
    key = house.attempt("alice")
    house.run(0.2)
    assert house.outcomes[key][1] == ACCOUNTS["alice"]


def test_guessing_becomes_slow() -> None:
    house = House()
    times = [house.result("alice", "wrong")[0] for _ in range(6)]
    assert times[:3] == pytest.approx([1.0, 1.0, 1.0], abs=0.02)
    assert times[3:] == sorted(times[3:])
    assert times[-1] >= 4.0


def test_guesses_side_by_side_gain_nothing() -> None:
    house = House()
    for _ in range(20):
        house.attempt("alice", "wrong")
    house.run(10)
    assert len(house.pam.asked) <= 10
    busy = [outcome for _, outcome in house.outcomes.values() if outcome == Denial(Trouble.BUSY)]
    assert len(busy) == 10


def test_a_browser_that_was_signed_in_does_not_pay_for_strangers() -> None:
    house = House()
    for _ in range(12):
        house.flow.penalties.failed("alice", "198.51.100.1", 0.0)
    assert house.result("alice", known_browser=True)[0] < 0.1
    for _ in range(12):
        house.flow.penalties.failed("alice", "198.51.100.1", house.clock.seconds())
    assert house.result("alice")[0] >= 30.0


def test_a_success_ends_the_users_penalty() -> None:
    house = House()
    for _ in range(4):
        house.result("alice", "wrong")
    assert isinstance(house.result("alice")[1], Account)
    assert house.result("alice", "wrong")[0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("busy", Trouble.BUSY),
        ("timeout", Trouble.PAM_FAILED),
        ("closed", Trouble.MASTER),
        ("failed", Trouble.MASTER),
        ("refused", Refusal.BAD_NAME),
    ],
)
def test_what_the_master_cannot_do(code: str, kind: Refusal | Trouble) -> None:
    house = House(FakeMaster(check_password=lambda _: MasterError(code, "why")))
    _, outcome = house.result("alice")
    assert isinstance(outcome, Denial)
    assert outcome.kind is kind
    assert code in house.audit.lines[0]["reason"]


def test_a_name_service_that_hangs_is_reported_as_trouble() -> None:
    house = House(threads=HungThreads())
    assert house.result("alice")[1] == Denial(Trouble.ACCOUNTS)


def test_a_password_can_be_taken_once_and_shows_nowhere() -> None:
    secret = Secret("tell-tale")
    assert "tell-tale" not in repr(Attempt("alice", secret, "192.0.2.1")) + repr(secret)
    assert secret.take() == "tell-tale"
    assert secret.take() == ""

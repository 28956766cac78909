import os
import pwd

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.sign_in.standing import (
    BAD_SECONDS,
    DOUBT_SECONDS,
    FRESH_SECONDS,
    GOOD_SECONDS,
    LIMIT_SECONDS,
    SURE_SECONDS,
    UNANSWERED,
    Holder,
    Standings,
    whose,
)
from tests.rserver.doubles import HungThreads, ThreadsAtOnce


class Names:
    """A name service that counts questions."""

    def __init__(self) -> None:
        self.uids = {"alice": 1001}
        self.asked = 0

    def __call__(self, user: str, uid: int) -> Holder:
        self.asked += 1
        return Holder(self.uids.get(user), next((name for name, of in self.uids.items() if of == uid), None))


class House:
    def __init__(self) -> None:
        self.clock, self.names = Clock(), Names()
        self.standings = Standings(self.clock, ThreadsAtOnce(), self.names)

    def problem(self) -> str:
        (found,) = results(self.standings)
        return found

    def look(self) -> None:
        Deferred.fromCoroutine(self.standings.look([("alice", 1001)]))

    def is_gone(self) -> bool:
        return self.standings.gone("alice", 1001) is not None


def results(standings: Standings) -> list[str]:
    found: list[str] = []
    Deferred.fromCoroutine(standings.problem("alice", 1001)).addCallback(found.append)
    return found


def test_a_good_account_is_asked_for_once_and_looked_at_again_meanwhile() -> None:
    house = House()
    assert house.standings.known("alice", 1001) is None
    assert [house.problem(), house.problem()] == ["", ""]
    assert house.names.asked == 1
    house.clock.advance(FRESH_SECONDS)
    assert house.standings.known("alice", 1001) == ""
    assert house.names.asked == 2
    house.names.uids.clear()
    house.clock.advance(FRESH_SECONDS)
    house.names.uids["heir"] = 1001
    assert house.standings.known("alice", 1001) == ""
    assert "does not exist" in str(house.standings.known("alice", 1001))


def test_what_is_not_good_is_asked_again_soon() -> None:
    house = House()
    house.names.uids.clear()
    assert house.problem() == house.problem() != ""
    assert house.names.asked == 1
    house.names.uids["alice"] = 1001
    house.clock.advance(BAD_SECONDS)
    assert house.problem() == ""


def test_a_sign_in_says_that_the_account_is_there() -> None:
    house = House()
    house.names.uids.clear()
    assert house.problem()
    house.standings.seen("alice", 1001)
    assert house.problem() == ""


def test_a_name_that_was_known_is_doubted_for_a_while_before_it_is_refused() -> None:
    house = House()
    house.look()
    house.names.uids.clear()
    house.look()
    house.clock.advance(DOUBT_SECONDS - 1)
    house.look()
    assert house.problem() == ""
    house.clock.advance(1)
    house.look()
    assert "does not exist" in house.problem()
    house.look()
    assert "does not exist" in house.problem()
    assert not house.is_gone()


def test_a_name_that_is_unknown_for_a_moment_is_not_gone_yet() -> None:
    house = House()
    house.names.uids.clear()
    house.look()
    house.clock.advance(SURE_SECONDS - 1)
    house.look()
    assert house.problem()
    assert not house.is_gone()
    house.names.uids["alice"] = 1001
    house.look()
    house.names.uids.clear()
    house.clock.advance(1)
    house.look()
    assert not house.is_gone()
    house.clock.advance(SURE_SECONDS)
    house.look()
    assert house.is_gone()


def test_a_name_or_a_number_that_is_somebody_elses_is_gone_at_once() -> None:
    house = House()
    house.names.uids = {"alice": 1002}
    house.look()
    assert house.is_gone()
    assert "another number" in house.problem()
    house = House()
    house.names.uids = {"heir": 1001}
    house.look()
    assert house.is_gone()


def test_a_name_service_that_hangs_changes_nothing_that_is_known() -> None:
    house = House()
    assert house.problem() == ""
    hung = Standings(house.clock, HungThreads(), house.names)
    found = results(hung)
    assert found == []
    house.clock.advance(LIMIT_SECONDS)
    assert found == [UNANSWERED]
    hung.seen("alice", 1001)
    house.clock.advance(FRESH_SECONDS)
    assert hung.known("alice", 1001) == ""
    house.clock.advance(GOOD_SECONDS)
    assert hung.known("alice", 1001) is None


def test_the_real_name_service() -> None:
    own = pwd.getpwuid(os.getuid()).pw_name
    assert whose(own, os.getuid()) == Holder(os.getuid(), own)
    assert whose("nobody-has-this", os.getuid()) == Holder(None, own)
    assert whose(own, 4_000_000_123) == Holder(os.getuid(), None)

import os
import pwd

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.accounts import KEEP_SECONDS, LIMIT_SECONDS, Accounts, look_up
from rserver.sign_in.policy import Account
from rserver.worker_threads import ThreadTimeout
from tests.rserver.doubles import HungThreads, ThreadsAtOnce


class Directory:
    """A name service that counts questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known = {"alice"}

    def __call__(self, name: str) -> Account | None:
        self.asked.append(name)
        return Account(name, 1001, 1001, "/home/alice", "/bin/sh", frozenset()) if name in self.known else None


def get(accounts: Accounts, name: str, *, fresh: bool = False) -> object:
    results: list[object] = []
    Deferred.fromCoroutine(accounts.get(name, fresh=fresh)).addBoth(results.append)
    return results[0] if results else None


def test_known_names_are_kept_for_a_while_unknown_ones_are_not() -> None:
    clock, directory = Clock(), Directory()
    accounts = Accounts(clock, ThreadsAtOnce(), directory)
    for _ in range(3):
        assert isinstance(get(accounts, "alice"), Account)
        assert get(accounts, "nobody") is None
    assert directory.asked.count("alice") == 1
    assert directory.asked.count("nobody") == 3
    clock.advance(KEEP_SECONDS)
    get(accounts, "alice")
    get(accounts, "alice", fresh=True)
    assert directory.asked.count("alice") == 3


def test_an_account_that_was_removed_is_forgotten() -> None:
    directory = Directory()
    accounts = Accounts(Clock(), ThreadsAtOnce(), directory)
    get(accounts, "alice")
    directory.known.clear()
    assert get(accounts, "alice", fresh=True) is None
    assert get(accounts, "alice") is None


def test_a_name_service_that_hangs_is_given_up() -> None:
    clock = Clock()
    results: list[object] = []
    Deferred.fromCoroutine(Accounts(clock, HungThreads(), Directory()).get("alice")).addBoth(results.append)
    clock.advance(LIMIT_SECONDS)
    assert getattr(results[0], "type", None) is ThreadTimeout


def test_this_machine_knows_who_we_are() -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    account = look_up(name)
    assert account is not None
    assert (account.name, account.uid) == (name, os.getuid())
    assert account.groups


@pytest.mark.parametrize("name", ["no-such-account-here", "é", "x" * 5000])
def test_this_machine_does_not_know_others(name: str) -> None:
    assert look_up(name) is None

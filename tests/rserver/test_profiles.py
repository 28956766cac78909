"""Who has which profile, as the worker knows it."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rserver.accounts import LIMIT_SECONDS, Accounts
from rserver.profiles import UserProfiles
from rserver.sign_in.policy import Account
from rserver_core.profiles import published
from rserver_core.profiles.file import parse
from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import Profiles
from tests.rserver.doubles import HungThreads, ThreadsAtOnce

TEXT = "[*]\nsession-limit=5\n[@stat]\nsession-limit=9\n[bob]\nsession-limit=1\n"


def ann(name: str) -> Account | None:
    """Everybody is in the group stat."""
    return Account(name, 1001, 1001, "/home", "/bin/sh", frozenset({"stat"}))


def of(profiles: UserProfiles, user: str, clock: Clock) -> Profile:
    """The answer, time passing as needed."""
    results: list[Profile] = []
    Deferred.fromCoroutine(profiles.of(user)).addCallback(results.append)
    clock.advance(LIMIT_SECONDS)
    return results[0]


def test_groups_are_asked_and_remembered() -> None:
    clock = Clock()
    profiles = UserProfiles(Accounts(clock, ThreadsAtOnce(), ann), parse(TEXT, "p"))
    assert profiles.known("ann").session_limit == 5
    assert of(profiles, "ann", clock).session_limit == 9
    assert profiles.known("ann").session_limit == 9
    assert of(profiles, "bob", clock).session_limit == 1


def test_a_name_service_that_hangs_leaves_what_was_known() -> None:
    clock = Clock()
    profiles = UserProfiles(Accounts(clock, HungThreads(), ann), parse(TEXT, "p"))
    assert of(profiles, "ann", clock).session_limit == 5


def test_nobody_is_asked_where_no_group_is_named() -> None:
    def never(name: str) -> Account | None:
        raise AssertionError(name)

    clock = Clock()
    profiles = UserProfiles(Accounts(clock, ThreadsAtOnce(), never), parse("[*]\nnice=1\n", "p"))
    assert of(profiles, "ann", clock).nice == 1
    profiles.profiles = Profiles()
    assert of(profiles, "ann", clock) == Profile()


def test_what_the_master_published(tmp_path: Path) -> None:
    clock, threads = Clock(), ThreadsAtOnce()
    profiles = UserProfiles(Accounts(clock, threads, ann))

    def read() -> int | None:
        Deferred.fromCoroutine(profiles.read(str(tmp_path), threads, clock))
        return profiles.known("ann").session_limit

    assert read() is None
    published.write(str(tmp_path), parse(TEXT, "p"))
    assert read() == 5
    assert [path.name for path in tmp_path.iterdir()] == ["profiles.json"]
    (tmp_path / "profiles.json").write_text("[[")
    assert read() == 5


@pytest.mark.parametrize("text", ["", "7", "[1]", '[["*",{"what":1}]]'])
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / published.FILE_NAME).write_text(text)
    with pytest.raises(published.Unreadable, match="cannot be read"):
        published.read(str(tmp_path))

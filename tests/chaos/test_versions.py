"""The oracle for objects and documents."""

import pytest

from tests.chaos.versions import Versions


@pytest.fixture
def versions() -> Versions[str]:
    """Four states; the second is safe, the third was seen."""
    made = Versions(["a"])
    for state in "bcd":
        made.begin(state)
    made.confirm(1)
    made.execute(2)
    return made


@pytest.mark.parametrize("found", ["b", "c", "d"])
def test_another_process_may_find_what_is_safe_or_newer(versions: Versions[str], found: str) -> None:
    assert versions.judge(found, same_process=False) is None
    assert versions.newest == found


@pytest.mark.parametrize("found", ["a", "x"])
def test_what_was_safe_may_not_be_lost(versions: Versions[str], found: str) -> None:
    assert versions.judge(found, same_process=False) is not None
    assert versions.states == [found]


def test_the_same_process_may_not_forget_what_it_showed(versions: Versions[str]) -> None:
    assert versions.judge("b", same_process=True) is not None


def test_what_the_same_process_shows_is_not_safe_by_that(versions: Versions[str]) -> None:
    assert versions.judge("d", same_process=True) is None
    assert versions.judge("b", same_process=False) is None


def test_what_another_process_found_is_safe(versions: Versions[str]) -> None:
    versions.judge("c", same_process=False)
    versions.begin("e")
    assert versions.judge("b", same_process=False) is not None


def test_what_its_user_threw_away_need_not_come_back(versions: Versions[str]) -> None:
    versions.may_start_anew("")
    assert versions.judge("", same_process=False) is None
    assert versions.states == [""]

"""The rule by which a wish finds its R."""

import pytest

from rserver_core.r_choice import choose, is_met, sentence
from rserver_core.r_scan import version_key
from rserver_core.r_version import BadWish, RVersion, RWish

LISTED = (
    RVersion("4.2.2", "/usr/lib/R"),
    RVersion("4.10.1", "/opt/R/4.10.1"),
    RVersion("4.4.1", "/opt/R/a/lib/R", "Production"),
    RVersion("4.4.1", "/opt/R/a/lib/R", "Test", module="gcc"),
    RVersion("4.4.1", "/opt/R/b"),
    RVersion("4.4.3", "/opt/R/4.4.3"),
    RVersion("3.6.3", "/opt/R/3.6.3"),
    RVersion("", "", "By module", module="R/4.0"),
)


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("4.4.1|/opt/R/a/lib/R|Test", LISTED[3]),
        ("4.4.1|/opt/R/b", LISTED[4]),
        ("4.4.1|/opt/R/b|Gone", LISTED[4]),
        ("4.4.1|/gone|Test", LISTED[3]),
        ("4.4.1|/gone", LISTED[2]),
        ("4.4.1", LISTED[2]),
        ("4.4.2", LISTED[5]),
        ("4.4", LISTED[5]),
        ("R 4.2.2", LISTED[0]),
        ("4.3.0", LISTED[2]),
        ("4.9.0", LISTED[1]),
        ("2.15.0", LISTED[6]),
        ("5.0.0", LISTED[1]),
        ("Test", LISTED[3]),
        ("By module", LISTED[7]),
        ("||By module", LISTED[7]),
        ("/opt/R/b", LISTED[4]),
        ("/opt/R/a", LISTED[2]),
        ("Nobody", None),
        ("/nowhere", None),
    ],
)
def test_a_wish_finds_the_closest(wish: str, found: RVersion | None) -> None:
    assert choose(RWish.parse(wish), LISTED) == found


def test_of_several_with_the_nearest_version_the_first_is_taken() -> None:
    twins = [RVersion("4.4.1", "/a", label) for label in ("First", "Second")]
    for wanted in ("4.4.0", "4.3.0", "5.0.0"):
        found = choose(RWish(wanted), twins)
        assert found is not None
        assert found.label == "First"


def test_an_empty_list_meets_no_wish() -> None:
    assert choose(RWish("4.2.2"), ()) is None


@pytest.mark.parametrize(
    ("wish", "is_so"), [("4.2.2", True), ("4.2", True), ("4", False), ("4.2.1", False), ("4.2.2||Test", False)]
)
def test_what_meets_a_wish(wish: str, is_so: bool) -> None:
    assert is_met(RWish.parse(wish), LISTED[0]) is is_so


def test_what_is_said_of_another_version() -> None:
    said = sentence("The project wants", RWish("4.1.2"), LISTED[0])
    assert said == "The project wants R 4.1.2, which is not on this server; this session runs R 4.2.2 instead."
    assert sentence("The project wants", RWish("4.2.2"), LISTED[0]) == ""


@pytest.mark.parametrize("text", ["", "|", "x|/home", "4.2.2|a|b|c", "4.2\n2", "4.2.2" * 200])
def test_what_is_no_wish(text: str) -> None:
    with pytest.raises(BadWish):
        RWish.parse(text)


def test_a_wish_is_the_same_as_text() -> None:
    for version in LISTED:
        assert RWish.parse(str(version.wish)) == version.wish


def test_versions_are_compared_as_numbers() -> None:
    versions = ["4.10.0", "4.9.1", "3.6.3", "4.2.2-patched"]
    assert sorted(versions, key=version_key) == ["3.6.3", "4.2.2-patched", "4.9.1", "4.10.0"]

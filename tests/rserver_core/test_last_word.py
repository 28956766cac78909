import pytest

from rserver_core import last_word


def test_round_trip_behind_other_output() -> None:
    tail = "a warning\n" + last_word.encode("Nobody used it\nfor 2 hours. é").decode()
    assert last_word.split(tail) == ("Nobody used it for 2 hours. é", "a warning\n")


def test_nothing_but_the_word() -> None:
    assert last_word.split(last_word.encode("Why.").decode()) == ("Why.", "")


@pytest.mark.parametrize("tail", ["", "R says this\n", last_word.encode("Old.").decode() + "and more\n"])
def test_no_word(tail: str) -> None:
    assert last_word.split(tail) == ("", tail)


def test_the_word_is_bounded_and_has_no_control_characters() -> None:
    assert len(last_word.split(last_word.encode("x" * 9000).decode())[0]) == last_word.MOST_CHARACTERS
    tail = "\nrsession: last word: \x1b[31mred\n"
    assert last_word.split(tail) == ("", tail)

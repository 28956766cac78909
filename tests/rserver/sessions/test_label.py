import pytest

from rserver.sessions.label import MOST_CHARACTERS, BadLabel, checked_label


@pytest.mark.parametrize(
    "text", ["", "Thesis, chapter 2", "日本語", "עברית", "👩‍🔬 lab", "<script>", "x" * MOST_CHARACTERS]
)
def test_any_text_of_one_line(text: str) -> None:
    assert checked_label(text) == text


def test_blanks_around_it_go_and_letters_are_composed() -> None:
    assert checked_label("  cafe\u0301 ") == "caf\u00e9"


@pytest.mark.parametrize("sign", ["\n", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"])
def test_control_characters_are_refused(sign: str) -> None:
    with pytest.raises(BadLabel, match="control"):
        checked_label(f"a{sign}b")


def test_long_ones_are_refused() -> None:
    with pytest.raises(BadLabel, match=str(MOST_CHARACTERS)):
        checked_label("x" * (MOST_CHARACTERS + 1))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsession.services.utf16 import prefix, splice, unit_length

TEXT = st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ab\n😀é")), max_size=60)


def to_units(text: str) -> list[int]:
    data = text.encode("utf-16-le")
    return [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]


@given(TEXT)
def test_length_is_that_of_the_encoding(text: str) -> None:
    assert unit_length(text) == len(to_units(text))


@given(TEXT, TEXT, st.data())
def test_splice_does_what_a_browser_does(text: str, insert: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    start, end = (unit_length(text[:cut]) for cut in cuts)
    units = to_units(text)
    assert to_units(splice(text, start, end, insert)) == units[:start] + to_units(insert) + units[end:]


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (1, 0), (0, 99), (99, 99), (2, 2), (0, 2)])
def test_offsets_outside_and_inside_of_a_character_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="offset"):
        splice("a😀b", start, end, "x")


def test_ascii_offsets_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        splice("abc", 0, 4, "")


def test_prefix_counts_an_emoji_twice() -> None:
    assert prefix("a😀b", 3) == "a😀"

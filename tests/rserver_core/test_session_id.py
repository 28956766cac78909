"""Session ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.session_id import LENGTH, NO_PROJECT, SessionId, is_session_id, new_session_id, owner_digits


def test_parts() -> None:
    text = "abcde" + "01234567" + "89abcdef"
    parsed = SessionId.parse(text)
    assert parsed == SessionId("abcde", "01234567", "89abcdef")
    assert str(parsed) == text


@pytest.mark.parametrize("text", ["", "0" * 20, "0" * 22, "0" * 20 + "G", "0" * 20 + "\n", "٣" * 21, "A" * 21])
def test_what_is_no_id(text: str) -> None:
    assert not is_session_id(text)
    assert SessionId.parse(text) is None


@given(st.sets(st.integers(0, 2**20 - 1), min_size=2, max_size=50))
def test_owners_differ(uids: set[int]) -> None:
    assert len({owner_digits(uid) for uid in uids}) == len(uids)


@given(st.integers(0, 2**32 - 2))
def test_new_ids_have_the_shape(uid: int) -> None:
    text = str(new_session_id(uid))
    assert len(text) == LENGTH
    assert is_session_id(text)
    assert text[:5] == owner_digits(uid)


def test_new_ids_differ_and_avoid_the_reserved_ones() -> None:
    ids = {new_session_id(1000).session for _ in range(1000)}
    assert len(ids) == 1000
    assert NO_PROJECT not in ids

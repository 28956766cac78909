"""Results that are kept."""

import pytest

from rserver.proxy.memo import ENTRIES, LONGEST_KEY, Memo


def test_function_is_called_once_for_each_key() -> None:
    called: list[str] = []

    def length(key: str) -> int:
        called.append(key)
        return len(key)

    memo = Memo(length, len)
    assert [memo["ab"], memo["c"], memo["ab"]] == [2, 1, 2]
    assert called == ["ab", "c"]


def test_long_keys_are_not_kept() -> None:
    memo: Memo[str, int] = Memo(len, len)
    assert memo["a" * (LONGEST_KEY + 1)] == LONGEST_KEY + 1
    assert len(memo) == 0


def test_it_does_not_grow_without_end() -> None:
    memo: Memo[int, int] = Memo(abs, lambda _: 1)
    for number in range(3 * ENTRIES):
        assert memo[number] == number
    assert 0 < len(memo) <= ENTRIES


def test_errors_are_not_kept() -> None:
    memo: Memo[str, int] = Memo(int, len)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid"):
            memo["x"]
    assert len(memo) == 0

"""JSON values as R code."""

import pytest

from rsession.remote.r_values import NoRValue, r_code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (3, "3L"),
        (-(2**31) + 1, "-2147483647L"),
        (2**31, "2147483648.0"),
        (0.1, "0.1"),
        ('a"\\\n', '"a\\"\\\\\\n"'),
        ([], "base::list()"),
        ([None, 1], "base::c(NA, 1L)"),
        ([[1, 2], [3]], "base::list(base::c(1L, 2L), 3L)"),
    ],
)
def test_code(value: object, code: str) -> None:
    assert r_code(value) == code


@pytest.mark.parametrize("value", ["a\0", "\ud800", {"": 1}, float("inf"), {"a": object()}])
def test_what_r_cannot_hold(value: object) -> None:
    with pytest.raises(NoRValue):
        r_code(value)


def test_nesting_is_bounded() -> None:
    value: object = {"a": 1}
    for _ in range(60):
        value = {"a": value}
    with pytest.raises(NoRValue, match="too deeply"):
        r_code(value)

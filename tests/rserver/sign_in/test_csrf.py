import pytest

from rserver.sign_in import csrf


def test_a_token_matches_itself() -> None:
    token = csrf.new_token()
    assert csrf.is_token(token)
    assert csrf.matches(token, token)


@pytest.mark.parametrize(
    ("cookie", "given"),
    [(None, None), ("", ""), ("x" * 32, None), (None, "x" * 32), ("x" * 32, "y" * 32), ("é" * 30, "é" * 30)],
)
def test_what_does_not_match(cookie: str | None, given: str | None) -> None:
    assert not csrf.matches(cookie, given)


def test_tokens_differ() -> None:
    assert csrf.new_token() != csrf.new_token()

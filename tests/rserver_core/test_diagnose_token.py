"""Tokens of `rstudio-server diagnose`."""

import pytest

from rserver.sign_in.cookies import CookieSigner, Ticket
from rserver_core import diagnose_token

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_token_holds_for_ten_minutes() -> None:
    token = diagnose_token.make(KEY, 1000)
    assert diagnose_token.is_valid([OTHER, KEY], token, 1000)
    assert diagnose_token.is_valid([KEY], token, 1600)
    assert not diagnose_token.is_valid([KEY], token, 1601)


def test_one_that_would_hold_for_longer_is_none() -> None:
    assert not diagnose_token.is_valid([KEY], diagnose_token.make(KEY, 5000), 1000)


def test_another_key_does_not_make_one() -> None:
    assert not diagnose_token.is_valid([KEY], diagnose_token.make(OTHER, 1000), 1000)


@pytest.mark.parametrize("text", ["", ".", "1600..", "x" * 100_000, "1600.0123456789abcdef." + "0" * 64])
def test_what_is_none(text: str) -> None:
    assert not diagnose_token.is_valid([KEY], text, 1000)


def test_a_cookie_is_none_and_no_token_is_a_cookie() -> None:
    signer = CookieSigner([KEY])
    cookie = signer.sign(Ticket("alice", 1001, 1, 1600))
    assert not diagnose_token.is_valid(signer.keys, cookie, 1000)
    assert signer.read(diagnose_token.make(KEY, 1000)) is None

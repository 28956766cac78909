from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver.sign_in.cookies import CookieSigner, Ticket

OLD, NEW = b"o" * 32, b"n" * 32
TICKET = Ticket("alice", 1001, 1_700_000_000_000_001, 1_700_003_600)


def test_a_cookie_says_who_signed_in() -> None:
    signer = CookieSigner([NEW])
    assert signer.read(signer.sign(TICKET)) == TICKET


@pytest.mark.parametrize("user", ["DOMAIN\\alice", "alice@example.org", "a.b-c", "machine$"])
def test_names_of_directory_services_survive(user: str) -> None:
    signer = CookieSigner([NEW])
    value = signer.sign(replace(TICKET, user=user))
    assert signer.read(value) == replace(TICKET, user=user)
    assert not set(value) & set(' ",;\\')


def test_a_cookie_of_an_old_key_is_good_and_the_first_key_signs() -> None:
    assert CookieSigner([NEW, OLD]).read(CookieSigner([OLD]).sign(TICKET)) == TICKET
    assert CookieSigner([OLD]).read(CookieSigner([NEW, OLD]).sign(TICKET)) is None


def test_a_forgotten_key_makes_cookies_void() -> None:
    assert CookieSigner([NEW]).read(CookieSigner([OLD]).sign(TICKET)) is None


@pytest.mark.parametrize("place", range(7))
def test_no_field_can_be_changed(place: int) -> None:
    signer = CookieSigner([NEW])
    fields = signer.sign(TICKET).split("|")
    fields[place] += "1"
    assert signer.read("|".join(fields)) is None


@given(st.text(max_size=200))
def test_anything_else_is_no_cookie(value: str) -> None:
    assert CookieSigner([NEW]).read(value) is None


@pytest.mark.parametrize("value", ["", "|" * 7, "1|root|0|0|99999999999|0|x|", "1|é|0|0|9|0|x|y", "x" * 100_000])
def test_hostile_values(value: str) -> None:
    assert CookieSigner([NEW]).read(value) is None


def test_the_cache_is_bounded() -> None:
    signer = CookieSigner([NEW])
    for uid in range(10_000):
        assert signer.read(signer.sign(replace(TICKET, uid=uid))) is not None
    assert len(signer._seen) <= 4096


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CookieSigner([b"short"])
    with pytest.raises(ValueError, match="32 bytes"):
        CookieSigner([])

"""Passwords that the sign-in page encrypted."""

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from rserver.sign_in.password_key import process_key


def encrypted(text: str) -> str:
    key = rsa.RSAPublicNumbers(65537, int(process_key().modulus, 16)).public_key()
    data, how = text.encode(), padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    return "".join(key.encrypt(data[at : at + 190], how).hex() for at in range(0, len(data), 190))


@pytest.mark.parametrize("password", ["x", "right horse", "ü" * 512, "\U0001f600" * 500])
def test_what_was_typed_comes_out(password: str) -> None:
    assert process_key().decrypt(encrypted(password)) == password


@pytest.mark.parametrize("text", ["", "0", "zz", "00" * 256, "00" * 255, "ff" * 256, "00" * 256 * 12, "ä"])
def test_anything_else_is_nothing(text: str) -> None:
    assert process_key().decrypt(text) is None

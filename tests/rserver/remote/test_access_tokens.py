"""Access tokens: who may have made them, how long they count."""

import base64
import hmac
import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from rserver.remote import signing_keys
from rserver.remote.access_tokens import ALGORITHM, AccessTokens
from rserver.web.request import Identity

ALICE = Identity("alice", 1000)


class Moment:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[signing_keys.SigningKey]:
    return signing_keys.current(tmp_path_factory.mktemp("keys"), 1_800_000_000, 3600)


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def tokens(keys: list[signing_keys.SigningKey], moment: Moment) -> AccessTokens:
    return AccessTokens(keys, 3600, moment)


def test_what_was_issued_is_read(tokens: AccessTokens) -> None:
    token, expires = tokens.issue(ALICE, "pair")
    assert expires == 1_800_003_600
    for _ in range(2):
        bearer = tokens.read(token)
        assert bearer is not None
        assert (bearer.identity, bearer.expires, bearer.pair) == (ALICE, expires, "pair")
    assert jwt.get_unverified_header(token)["alg"] == "RS512"


def test_it_ends(tokens: AccessTokens, moment: Moment) -> None:
    token, _ = tokens.issue(ALICE, "pair")
    assert tokens.read(token) is not None
    moment.now += 3600
    assert tokens.read(token) is None
    assert AccessTokens(tokens.keys, 3600, moment).read(token) is None


def test_a_void_pair(tokens: AccessTokens) -> None:
    token, other = tokens.issue(ALICE, "one")[0], tokens.issue(ALICE, "two")[0]
    assert tokens.read(token) is not None
    tokens.void("one")
    assert tokens.read(token) is None
    assert tokens.read(other) is not None


def forged(token: str, header: dict[str, str] | None = None, **claims: object) -> str:
    """The token with other words in it, and its own signature."""
    parts = token.split(".")
    for number, more in enumerate((header or {}, claims)):
        part = json.loads(base64.urlsafe_b64decode(parts[number] + "==")) | more
        parts[number] = base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def signed_by_hmac(token: str, key: bytes) -> str:
    """With what everybody may know as the secret of another algorithm."""
    body = forged(token, {"alg": "HS512"}).rpartition(".")[0]
    signature = base64.urlsafe_b64encode(hmac.digest(key, body.encode(), "sha512")).rstrip(b"=")
    return f"{body}.{signature.decode()}"


def test_forgeries(tokens: AccessTokens, tmp_path: Path) -> None:
    token, _ = tokens.issue(ALICE, "pair")
    kid = {"kid": tokens.keys[0].id}
    claims = jwt.decode(token, options={"verify_signature": False})
    stranger = signing_keys.current(tmp_path, 1_800_000_000, 3600)[0]
    public = tokens.keys[0].public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for bad in (
        "",
        "a.b.c",
        "x" * 5000,
        token[:-2],
        forged(token, uid=0),
        forged(token, {"alg": "none"}),
        forged(token, {"kid": "1"}),
        signed_by_hmac(token, public),
        jwt.encode(claims, stranger.private, ALGORITHM, kid),
        jwt.encode({**claims, "iss": "other"}, tokens.keys[0].private, ALGORITHM, kid),
        jwt.encode({key: claims[key] for key in claims if key != "pair"}, tokens.keys[0].private, ALGORITHM, kid),
    ):
        assert tokens.read(bad) is None, bad
    assert tokens.read(token) is not None


def test_keys_are_replaced_and_old_ones_believed_for_a_while(tmp_path: Path) -> None:
    now = 1_800_000_000
    (first,) = signing_keys.current(tmp_path, now, 3600)
    assert [key.id for key in signing_keys.current(tmp_path, now + 86400, 3600)] == [first.id]
    later = now + signing_keys.ROTATE_SECONDS
    second, kept = signing_keys.current(tmp_path, later, 3600)
    assert kept.id == first.id
    assert second.id == str(later)
    assert [key.id for key in signing_keys.current(tmp_path, later + 3601, 3600)] == [second.id]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}

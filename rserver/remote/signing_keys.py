"""The keys that sign access tokens: made here, kept by the worker, replaced every month. Blocking."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROTATE_SECONDS = 30 * 86400
_BITS = 2048
_FILE = re.compile(r"remote-signing-(\d{1,12})\.pem")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """id: the time at which it was made, seconds since 1970."""

    id: str
    private: rsa.RSAPrivateKey
    public: rsa.RSAPublicKey


def current(directory: Path, now: int, life: int) -> list[SigningKey]:
    """The key to sign with, then those whose tokens may not have ended; OSError, ValueError.

    A key is used for a month. One that is older than that and the life of a token (seconds) is removed.
    """
    made = sorted((int(match[1]), path) for path in directory.iterdir() if (match := _FILE.fullmatch(path.name)))
    for then, path in list(made):
        if not now - ROTATE_SECONDS - life <= then <= now + life:
            path.unlink()
            made.remove((then, path))
    keys = [_read(then, path) for then, path in reversed(made)]
    if not made or made[-1][0] <= now - ROTATE_SECONDS:
        keys.insert(0, _make(directory, now))
    return keys


def _read(made: int, path: Path) -> SigningKey:
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key")
    return SigningKey(str(made), private, private.public_key())


def _make(directory: Path, now: int) -> SigningKey:
    private = rsa.generate_private_key(65537, _BITS)
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = directory / f"remote-signing-{now}.pem"
    aside = path.with_suffix(".part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    return SigningKey(str(now), private, private.public_key())

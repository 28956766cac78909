"""The key for which the sign-in page encrypts passwords where the connection itself is not encrypted.

It keeps a password from who only listens. Who can change what is on the way changes the page; against that helps HTTPS.
"""

import functools
from typing import TYPE_CHECKING, Protocol

from rserver.worker_threads import WorkerThreads

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_BITS = 2048
_BLOCK = _BITS // 8
# 512 characters of at most four bytes, 190 in a block.
_MOST_BLOCKS = 11


class PasswordKey(Protocol):
    """Made once for the life of the process."""

    @property
    def modulus(self) -> str:
        """In hexadecimal digits; the exponent is 65537."""

    def decrypt(self, text: str) -> str | None:
        """What the page encrypted, from hexadecimal digits; None for what it did not."""


class PasswordKeys:
    """Makes the key in a thread when it is first needed."""

    def __init__(self, threads: WorkerThreads) -> None:
        self._threads = threads

    def get(self) -> "Deferred[PasswordKey]":
        """The key."""
        return self._threads.run(process_key)

    def decrypt(self, text: str) -> "Deferred[str | None]":
        """See PasswordKey."""
        return self._threads.run(lambda: process_key().decrypt(text))


@functools.cache
def process_key() -> PasswordKey:
    """The one key of this process. Blocks while it is made."""
    return _RsaKey()


class _RsaKey:
    def __init__(self) -> None:
        # Not needed, and so not loaded, by servers that are reached over HTTPS.
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256

        self._key = rsa.generate_private_key(65537, _BITS)
        self._padding = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)

    @property
    def modulus(self) -> str:
        return f"{self._key.public_key().public_numbers().n:x}"

    def decrypt(self, text: str) -> str | None:
        try:
            data = bytes.fromhex(text)
            if not data or len(data) % _BLOCK or len(data) > _MOST_BLOCKS * _BLOCK:
                return None
            blocks = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
            return b"".join(self._key.decrypt(block, self._padding) for block in blocks).decode()
        except ValueError:
            return None

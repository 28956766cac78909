"""Keys of session tickets that several workers share, so that each resumes what another one began.

Python's ssl cannot set them, OpenSSL can. Its context is found without knowing how Python lays out its own objects:
OpenSSL tells whoever asked for room in every context (`CRYPTO_get_ex_new_index`) of each one it makes.
"""

import _ssl
import ctypes
import hashlib
import ssl
import threading
from collections.abc import Callable
from functools import cache

_INDEX_OF_CONTEXTS = 1  # CRYPTO_EX_INDEX_SSL_CTX
_SET_TICKET_KEYS = 59  # SSL_CTRL_SET_TLSEXT_TICKET_KEYS; without a place for keys it tells how long they are
_MOST_BYTES = 1024

_New = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p
)

Share = Callable[[bytes], None]
"""Have a context write and read tickets with keys that follow from this secret, those before are forgotten."""


class NotShared(Exception):
    """This Python's OpenSSL cannot be reached: each worker has ticket keys of its own."""


def make_context() -> tuple[ssl.SSLContext, Share]:
    """A server's context, and what sets its keys; NotShared."""
    library = _library()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    address = library.made_last()
    return context, lambda secret: _share(context, library, address, secret)


def _share(_alive: ssl.SSLContext, library: "_Library", address: int, secret: bytes) -> None:
    length = library.control(address, _SET_TICKET_KEYS, 0, None)
    if not 0 < length <= _MOST_BYTES:
        raise NotShared(f"OpenSSL wants ticket keys of {length} bytes")
    keys = hashlib.shake_256(b"TLS session tickets" + secret).digest(length)
    if library.control(address, _SET_TICKET_KEYS, length, keys) != 1:
        raise NotShared("OpenSSL refuses ticket keys")


class _Library:
    """The libssl that Python's own ssl module uses, and no other."""

    def __init__(self) -> None:
        """OSError or AttributeError: it cannot be reached."""
        # What is linked into the interpreter itself has no file, and is found there.
        library = ctypes.CDLL(getattr(_ssl, "__file__", None))
        self.control = library.SSL_CTX_ctrl
        self.control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
        self.control.restype = ctypes.c_long
        self._made = threading.local()
        # Called for as long as the process lives.
        self._told = _New(lambda address, *_: setattr(self._made, "address", address))
        ask = library.CRYPTO_get_ex_new_index
        ask.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_void_p, _New, ctypes.c_void_p, ctypes.c_void_p]
        if ask(_INDEX_OF_CONTEXTS, 0, None, self._told, None, None) < 0:
            raise OSError("OpenSSL has no room for another index")

    def made_last(self) -> int:
        """Where the context lies that this thread made last; NotShared."""
        address = self._made.__dict__.pop("address", None)
        if not isinstance(address, int):
            raise NotShared("OpenSSL did not tell of a new context")
        return address


@cache
def _library() -> _Library:
    try:
        return _Library()
    except (OSError, AttributeError) as error:
        raise NotShared(f"OpenSSL cannot be reached: {error}") from None

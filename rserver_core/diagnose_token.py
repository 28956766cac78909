"""The token with which `rstudio-server diagnose` asks the server what arrived. Pure.

Signed by a cookie key and short-lived: `expires.nonce.mac`. The key of the signature is derived, so that no token can
pass for a cookie, nor a cookie for a token.
"""

import hmac
import re
import secrets
from collections.abc import Iterable

HEADER = "X-RS-Diagnose"
LIFE_SECONDS = 600
_FORM = re.compile(r"([0-9]{1,12})\.[0-9a-f]{16}\.([0-9a-f]{64})")


def make(key: bytes, now: float) -> str:
    """A token that holds from now on for LIFE_SECONDS."""
    body = f"{int(now) + LIFE_SECONDS}.{secrets.token_hex(8)}"
    return f"{body}.{_mac(key, body)}"


def is_valid(keys: Iterable[bytes], token: str, now: float) -> bool:
    """Made with one of these keys, and not too old."""
    match = _FORM.fullmatch(token)
    if match is None or not now <= int(match[1]) <= now + LIFE_SECONDS:
        return False
    body = token.rpartition(".")[0]
    return any(hmac.compare_digest(match[2], _mac(key, body)) for key in keys)


def _mac(key: bytes, body: str) -> str:
    derived = hmac.digest(key, b"rserver diagnose", "sha256")
    return hmac.digest(derived, body.encode("ascii"), "sha256").hex()

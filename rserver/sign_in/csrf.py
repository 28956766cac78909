"""The double-submit token against forged requests: a cookie that our page can read and a stranger's cannot. Pure."""

import hmac
import re
import secrets

CSRF_COOKIE = "rs-csrf-token"
CSRF_FIELD = CSRF_COOKIE
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)


def new_token() -> str:
    """A fresh token."""
    return secrets.token_urlsafe(24)


def is_token(text: str | None) -> bool:
    """True when text may be a token of ours."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def matches(cookie: str | None, given: str | None) -> bool:
    """True when the request gives the same token as its cookie; takes the same time whatever differs."""
    if cookie is None or given is None or not is_token(cookie):
        return False
    return hmac.compare_digest(cookie.encode(), given.encode("utf-8", "surrogatepass"))

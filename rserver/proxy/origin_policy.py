"""Whether a request was made by our own page. Pure."""

import hmac

from rserver.web.request import RequestHead

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_COOKIE = "rs-csrf-token"
CSRF_HEADER = "x-rs-csrf-token"


def token_matches(head: RequestHead) -> bool:
    """True when the method is safe or X-RS-CSRF-Token repeats the cookie, which a foreign page cannot read."""
    if head.method in SAFE_METHODS:
        return True
    cookie, header = head.cookies.get(CSRF_COOKIE, ""), head.headers.get(CSRF_HEADER, "")
    return bool(cookie) and hmac.compare_digest(cookie.encode("latin-1"), header.encode("latin-1"))


def origin_matches(head: RequestHead) -> bool:
    """True when Origin names the host that was asked (or that a proxy says was asked). A missing Origin does not match.

    X-Forwarded-Host may be believed from anybody here: a page in a browser cannot set it on a WebSocket.
    """
    _, separator, origin = head.headers.get("origin", "").lower().partition("://")
    told = (head.host, head.headers.get("host", ""), head.headers.get("x-forwarded-host", ""))
    hosts = {host.lower() for host in told}
    return bool(separator) and bool(origin) and origin in hosts

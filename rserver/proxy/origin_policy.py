"""Whether a request was made by our own page. Pure."""

import hmac
import re
from collections.abc import Iterable

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


class OriginPolicy:
    """Pages of which hosts may send requests: that of the server, and those that allowed patterns name.

    allowed: hosts with or without scheme and port, `*` for any letters but those that end a host; lower case.
    checks_requests: unsafe requests are looked at too, not WebSockets alone.
    """

    def __init__(self, allowed: Iterable[str] = (), *, checks_requests: bool = False) -> None:
        self._allowed = [_pattern(text) for text in allowed]
        self._checks_requests = checks_requests

    def allows_socket(self, head: RequestHead) -> bool:
        """True when Origin names the host that was asked for, or one that is allowed. A missing Origin does not."""
        return self._matches(head, head.headers.get("origin", ""))

    def allows_request(self, head: RequestHead) -> bool:
        """True unless the request may change something and comes from a page of somebody else.

        Programs that are no browsers say neither Origin nor Referer.
        """
        if not self._checks_requests or head.method in SAFE_METHODS:
            return True
        source = head.headers.get("origin") or _origin_of(head.headers.get("referer", ""))
        return not source or self._matches(head, source)

    def _matches(self, head: RequestHead, source: str) -> bool:
        """X-Forwarded-Host may be believed from anybody here: a page in a browser cannot set it on a WebSocket."""
        source = source.lower()
        _, separator, host = source.partition("://")
        told = (head.host, head.headers.get("host", ""), head.headers.get("x-forwarded-host", ""))
        if not (separator and host):
            return False
        return host in {name.lower() for name in told} or any(each.fullmatch(source) for each in self._allowed)


def _origin_of(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{re.split('[/?#]', rest, maxsplit=1)[0]}"


def _pattern(text: str) -> re.Pattern[str]:
    scheme, separator, host = text.rpartition("://")
    letters = re.escape(host).replace(r"\*", r"[^/?#@:]*")
    # Without a port any is meant.
    port = "" if re.search(r":[0-9*]+$", host) else r"(?::[0-9]{1,5})?"
    return re.compile(f"{re.escape(scheme + separator) if separator else 'https?://'}{letters}{port}", re.ASCII)

"""What proxies in front say about the browser, believed of those that the administrator named. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from rserver.proxy.memo import Memo

_ROOT_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]{1,64}){1,8}/?|/", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_MOST_HOPS = 16


@dataclass(frozen=True, slots=True)
class Browser:
    """Address of who sits in front, whether that one speaks TLS, what was asked for, and under which path."""

    address: str
    secure: bool
    host: str
    root_path: str


class TrustedProxies:
    """Addresses and networks; `127.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`. ValueError for what is none."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in networks]
        self._known: Memo[str, bool] = Memo(self._look, len)

    def __contains__(self, address: str) -> bool:
        return bool(self._networks) and self._known[address]

    def browser(self, peer: str, headers: Mapping[str, str], plain: Browser) -> Browser:
        """What is known of the browser: plain, unless a proxy that is named here connected and says more."""
        if peer not in self:
            return plain
        address = self._first_stranger(headers.get("x-forwarded-for", "")) or plain.address
        secure = plain.secure or headers.get("x-forwarded-proto", "").strip().lower() == "https"
        host = _checked_host(headers.get("x-forwarded-host", "")) or plain.host
        asked = _asked(headers.get("x-rstudio-request", ""))
        if asked is not None:
            secure, host = asked
        root = headers.get("x-rstudio-root-path", "")
        return Browser(address, secure, host, root.rstrip("/") if _ROOT_PATH.fullmatch(root) else plain.root_path)

    def _first_stranger(self, forwarded_for: str) -> str:
        """From the right, where the proxies wrote: what lies behind somebody we do not trust may be invented."""
        address = ""
        for part in reversed(forwarded_for.split(",")[-_MOST_HOPS:]):
            try:
                address = str(ip_address(part.partition("%")[0].strip(" \t")))
            except ValueError:
                return address
            if address not in self:
                return address
        return address

    def _look(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self._networks)


def _asked(url: str) -> tuple[bool, str] | None:
    """Whether the whole address that a browser asked for is one of HTTPS, and its host; None when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = _checked_host(parts.netloc)
    return (parts.scheme == "https", host) if parts.scheme in {"http", "https"} and host else None


def _checked_host(host: str) -> str:
    host = host.strip()
    return host if _HOST.fullmatch(host) else ""

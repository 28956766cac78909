"""Limits and choices of the front."""

from dataclasses import dataclass

from rserver.proxy.origin_policy import OriginPolicy
from rserver.proxy.trusted_proxies import TrustedProxies

NOBODY = TrustedProxies()
ONLY_OWN = OriginPolicy()


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """root_path is www-root-path as "" or "/prefix"; trusted_proxies: whose X-Forwarded-* we believe.

    Time limits are in seconds. verdict_seconds: for how long what was decided on a request also holds for others of the
    same caller to the same session; up to twice that while it is asked anew.
    paused_seconds is how often a client is looked after whose body nobody reads.
    least_rate: bytes in a second that a body must come with, over body_stall_seconds, and an answer be read with,
    over send_seconds; it is 0 when a single byte in that time is enough.
    max_per_address and max_per_user: connections from one address, requests and WebSockets carried for one account;
    0: any number. share and page_share: requests of one user that begin in one turn of the loop.
    secure_cookies: they are for HTTPS only, however people come.
    """

    root_path: str = ""
    frame_origin: str = "none"
    add_headers: tuple[str, ...] = ()
    trusted_proxies: TrustedProxies = NOBODY
    origins: OriginPolicy = ONLY_OWN
    tls: bool = False
    secure_cookies: bool = False
    tick_seconds: float = 1.0
    head_seconds: float = 20.0
    keep_alive_seconds: float = 75.0
    body_stall_seconds: float = 60.0
    send_seconds: float = 120.0
    least_rate: int = 100
    paused_seconds: float = 5.0
    linger_seconds: float = 5.0
    connect_seconds: float = 10.0
    verdict_seconds: int = 1
    pool_idle_seconds: float = 60.0
    pool_size: int = 64
    pool_total: int = 4_096
    max_connections: int = 16_384
    max_per_address: int = 0
    max_per_user: int = 0
    max_pages: int = 1_024
    share: int = 8
    page_share: int = 2

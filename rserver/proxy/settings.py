"""Limits and choices of the front."""

from dataclasses import dataclass

from rserver.proxy.origin_policy import OriginPolicy
from rserver.proxy.trusted_proxies import TrustedProxies

NOBODY = TrustedProxies()
ONLY_OWN = OriginPolicy()


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """root_path is www-root-path as "" or "/prefix"; trusted_proxies: whose X-Forwarded-* we believe.

    Time limits are in seconds. paused_seconds is how often a client is looked after whose body nobody reads.
    """

    root_path: str = ""
    frame_origin: str = "none"
    add_headers: tuple[str, ...] = ()
    trusted_proxies: TrustedProxies = NOBODY
    origins: OriginPolicy = ONLY_OWN
    tls: bool = False
    tick_seconds: float = 1.0
    head_seconds: float = 20.0
    keep_alive_seconds: float = 75.0
    body_stall_seconds: float = 120.0
    paused_seconds: float = 5.0
    linger_seconds: float = 5.0
    connect_seconds: float = 10.0
    pool_idle_seconds: float = 60.0
    pool_size: int = 32
    max_connections: int = 16_384

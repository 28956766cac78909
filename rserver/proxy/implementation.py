"""Which implementation carries bytes and reads heads: the compiled one, or the pure Python one. Chosen here, at import.

The pure one is taken where the compiled module was not built, and where RSERVER_PROXY=pure is in the environment (of
`rserver`, which hands it to its worker). It is complete, and what the compiled one is compared with.
"""

import asyncio
import os

from rserver.proxy import http_head
from rserver.proxy.carrier import Carrier
from rserver.proxy.loop_carrier import LoopCarrier
from rserver.proxy.settings import FrontSettings
from rserver.web.request import SessionEvents

VARIABLE = "RSERVER_PROXY"


def _is_compiled() -> bool:
    if os.environ.get(VARIABLE) == "pure":
        return False
    try:
        import rserver.proxy._native  # noqa: F401
    except ImportError:
        return False
    return True


IS_COMPILED = _is_compiled()

if IS_COMPILED:
    from rserver.proxy import compiled_head

    parse_request, parse_response = compiled_head.parse_request, compiled_head.parse_response
else:
    parse_request, parse_response = http_head.parse_request, http_head.parse_response


def make_carrier(
    loop: asyncio.AbstractEventLoop,
    settings: FrontSettings,
    events: SessionEvents,
    others: dict[str, int],
    compiled: bool = IS_COMPILED,
) -> Carrier:
    """The carrier of a worker's connections. others: what is carried for each account by exchanges."""
    if not compiled:
        return LoopCarrier(loop)
    from rserver.proxy.engine_carrier import EngineCarrier

    return EngineCarrier(loop, settings, events, others)

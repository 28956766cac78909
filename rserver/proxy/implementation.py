"""Which implementation carries bytes: the compiled one, or the pure Python one. Chosen here, once, at import.

The pure one is taken where the compiled module was not built, and where RSERVER_PROXY=pure is in the environment (of
`rserver`, which hands it to its worker). It is complete, and what the compiled one is compared with.
"""

import os
from importlib import import_module
from types import ModuleType

VARIABLE = "RSERVER_PROXY"


def _compiled() -> ModuleType | None:
    if os.environ.get(VARIABLE) == "pure":
        return None
    try:
        return import_module("rserver.proxy._native")
    except ImportError:
        return None


native = _compiled()

"""Keeps out of every session's memory what the reactor imports for the sake of others: about 17 MB.

To be called before the first import of Twisted, in the session's own process only.
"""

import sys
from inspect import iscoroutine
from types import ModuleType

_ABSENT = ("OpenSSL", "ssl", "_hashlib")
"""TLS: Twisted goes without when it is not installed, and hashlib has its own SHA-1 without OpenSSL."""


class _Unused:
    """Stands for a class that is only named in annotations and isinstance checks."""


def leave_out_unused_modules() -> None:
    """Make the imports that are never used here fail or find an empty module."""
    sys.modules.update(dict.fromkeys(_ABSENT))  # type: ignore[arg-type]
    # twisted.python.compat passes it on under an older name; it brings urllib.request, http.client and email.
    sys.modules["http.cookiejar"] = ModuleType("http.cookiejar")
    # Nobody here turns `&eacute;` into a letter, for which html has a table of 2,231 names.
    vars(sys.modules.setdefault("html.entities", ModuleType("html.entities"))).setdefault("html5", {})
    # twisted.internet.defer can turn Deferreds into asyncio's futures and back.
    asyncio = ModuleType("asyncio")
    names = {"AbstractEventLoop": _Unused, "Future": _Unused, "iscoroutine": iscoroutine}
    vars(asyncio).update(names)
    sys.modules["asyncio"] = asyncio

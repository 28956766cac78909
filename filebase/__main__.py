"""`filebase <log>`, started by a session with its two sockets as descriptors 3 and 4."""

import os
import sys

_CONTROL, _DOORS = 3, 4


def _add_module_paths() -> None:
    package = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [os.path.dirname(package), *(path for path in sys.path if os.path.realpath(path or ".") != package)]


def main() -> int:
    """Exit code 0 when the session has ended it."""
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write("filebase")
    os.closerange(_DOORS + 1, os.sysconf("SC_OPEN_MAX"))
    import asyncio
    import socket
    from pathlib import Path

    from filebase.hosting import host

    control, doors = socket.socket(fileno=_CONTROL), socket.socket(fileno=_DOORS)
    control.setblocking(False)
    asyncio.run(host(control, doors, Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    _add_module_paths()
    sys.exit(main())

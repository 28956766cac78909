"""The TCP addresses on which a process listens, whatever its options said."""

import contextlib
import re
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from rserver_admin.server_process import descriptors

_SOCKET = re.compile(r"socket:\[(\d+)\]")
_LISTENING = "0A"
_LOCAL, _STATE, _INODE = 1, 3, 9


def addresses(pid: int) -> list[str]:
    """`host:port` of each listening socket that the process has."""
    own = set(_sockets(pid))
    rows = [row for table in ("tcp", "tcp6") for row in _rows(Path(f"/proc/{pid}/net/{table}"))]
    return [_shown(row[_LOCAL]) for row in rows if row[_STATE] == _LISTENING and row[_INODE] in own]


def _sockets(pid: int) -> Iterator[str]:
    # Of a process that we may not look into we know no sockets.
    with contextlib.suppress(PermissionError):
        for entry in descriptors(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if match := _SOCKET.fullmatch(str(entry.readlink())):
                    yield match[1]


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    except OSError:
        return []


def _shown(local: str) -> str:
    """From the kernel's words in host order, in hex, to the usual form."""
    address, _, port = local.partition(":")
    words = [int(address[start : start + 8], 16) for start in range(0, len(address), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    host = str(IPv4Address(packed)) if len(packed) == 4 else f"[{IPv6Address(packed)}]"
    return f"{host}:{int(port, 16)}"

"""Which kind of file system a path lies on, told without touching it."""

import contextlib
import os

_TABLE = "/proc/self/mountinfo"


def is_remote(path: str, table: str = _TABLE) -> bool:
    """True on NFS: there the server decides, and knows the owner but none of our capabilities."""
    kind = _kind(path, table)
    if kind == "autofs":
        # A look at it mounts what belongs there.
        with contextlib.suppress(OSError):
            os.stat(path)
        kind = _kind(path, table)
    return kind in {"nfs", "nfs4"}


def _kind(path: str, table: str) -> str:
    best, kind = -1, ""
    with open(table, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            point = _plain(before.split(" ")[4])
            if len(point) >= best and (path + "/").startswith(point.rstrip("/") + "/"):
                best, kind = len(point), after.split(" ")[0]
    return kind


def _plain(field: str) -> str:
    for code, sign in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(code, sign)
    return field

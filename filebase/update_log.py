"""The history of a shared text on disk: every update in order, until all have closed the file. Blocking.

One line of JSON, then frames: length and CRC-32 (4 bytes each, big-endian), the update. What a crash cut off is left
out.
"""

import contextlib
import json
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from filebase import bounds

_FRAME = struct.Struct(">II")
_LIMIT = 4 * bounds.STATE


@dataclass(frozen=True, slots=True)
class Logged:
    """What a log holds."""

    epoch: str
    updates: list[bytes]


class UpdateLog:
    """Appends to one file; beyond a size it is written anew with the whole state. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._size = 0

    def read(self) -> Logged | None:
        """What an earlier process has left; None when there is nothing that can be used."""
        try:
            with self._path.open("rb") as file:
                head, _, rest = file.read(_LIMIT).partition(b"\n")
            return Logged(str(json.loads(head)["epoch"]), _frames(rest))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def begin(self, epoch: str, state: bytes) -> None:
        """Replace the log by one with this state: aside, fsync, rename."""
        aside = self._path.with_name(f".{self._path.name}.part")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = json.dumps({"version": 1, "epoch": epoch}).encode() + b"\n" + _framed(state)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _write(descriptor, content)
            os.fsync(descriptor)
            aside.rename(self._path)
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                aside.unlink()
            raise
        self.close()
        self._descriptor, self._size = descriptor, len(content)

    def append(self, updates: list[bytes]) -> None:
        """Bring these to disk."""
        content = b"".join(map(_framed, updates))
        _write(self._descriptor, content)
        os.fsync(self._descriptor)
        self._size += len(content)

    @property
    def is_large(self) -> bool:
        """It is time to begin anew."""
        return self._size > bounds.STATE

    def close(self) -> None:
        """Leave it on disk."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """All have closed the file."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


def _framed(update: bytes) -> bytes:
    return _FRAME.pack(len(update), zlib.crc32(update)) + update


def _frames(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at + _FRAME.size <= len(data):
        length, check = _FRAME.unpack_from(data, at)
        update = data[at + _FRAME.size : at + _FRAME.size + length]
        if len(update) != length or zlib.crc32(update) != check:
            break
        found.append(update)
        at += _FRAME.size + length
    return found


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]

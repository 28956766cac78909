"""The last step of saving `.RData`: what R wrote aside is proven whole and put in its place. Blocking."""

import bz2
import errno
import lzma
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rsession.services.disk_file import sync_folder

_PIECE = 1 << 20
_ENOUGH_ROOM = 1 << 20
_QUICKLY_READ = 64 << 20
_PROBE_BYTES = 1 << 16
"""More than R and the C library hold back."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class NotWhole(Exception):
    """The end of the file is missing: R does not notice when its last piece could not be written."""


def put_in_place(aside: Path, image: Path, *, keeps_old: bool = False) -> None:
    """Raises OSError or NotWhole; the old image is then as it was, and `aside` is gone.

    keeps_old: R could not read the old one, which is set aside. That is also done when its end is missing.
    """
    try:
        _check_whole(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        if keeps_old or _is_cut_off(image):
            image.rename(_aside_name(image))
        aside.rename(image)
        sync_folder(image.parent)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def _is_cut_off(image: Path) -> bool:
    try:
        if not image.is_file() or image.stat().st_size > _QUICKLY_READ:
            return False
        with image.open("rb") as file:
            if _decompressor(file.read(6)) is None:
                return False
        _check_whole(image)
    except NotWhole:
        return True
    except OSError:
        return False
    return False


def _aside_name(image: Path) -> Path:
    stem = f"{image.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = image.with_name(stem), 1
    while os.path.lexists(aside):
        number += 1
        aside = image.with_name(f"{stem}-{number}")
    return aside


def _check_whole(path: Path) -> None:
    with path.open("rb") as file:
        magic = file.read(6)
        decompressor = _decompressor(magic)
        if decompressor is None:
            _check_plain(path, magic)
        file.seek(0)
        while decompressor is not None and (piece := file.read(_PIECE)):
            try:
                decompressor.decompress(piece)
            except (zlib.error, OSError, ValueError, lzma.LZMAError) as error:
                raise NotWhole(str(error)) from error
    if decompressor is not None and not decompressor.eof:
        raise NotWhole


def _check_plain(path: Path, magic: bytes) -> None:
    """What is not compressed has no end that could be looked for: there was room for it if there is room for more."""
    if not magic.startswith(b"RD"):
        raise NotWhole
    probe = path.with_name(f"{path.name}.probe")
    try:
        with probe.open("wb", buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _decompressor(magic: bytes) -> _Decompressor | None:
    if magic.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    if magic.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor() if magic.startswith((b"\xfd7zXZ", b"]\0\0")) else None


def reason(error: Exception, folder: Path) -> str:
    """Why it was not written, as a sentence: an error of ours, or R's own with whatever it says; nothing: no room."""
    number = error.errno if isinstance(error, OSError) else None
    says_nothing = number is None and not isinstance(error, NotWhole) and not str(error)
    if number in (errno.ENOSPC, errno.EDQUOT) or says_nothing or (number is None and _is_full(folder)):
        return "There is not enough room on the disk (or in your quota)."
    if isinstance(error, NotWhole):
        return "The file was cut off while it was written; the disk may be full, or your quota used up."
    return f"{error.strerror if isinstance(error, OSError) else error}.".replace("..", ".")


def _is_full(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < _ENOUGH_ROOM

"""Which lists objects had before we touched them: a file that only grows, written before anything is changed.

Found by device, inode and generation, so that an object may be renamed and its number may pass to another. Memory does
not grow with the number of records: only the heads of fixed chains are kept, the records are read from the file.
"""

import os
import struct
import zlib
from array import array
from typing import NamedTuple

_RECORD, _CHECK = struct.Struct("<IIqQQQHH"), struct.Struct("<I")
_CHECKED_FROM = 4
_CHAINS = 1 << 15
_ABSENT = 0xFFFF
_CHUNK = 1 << 18


class Identity(NamedTuple):
    """Tells one object of a machine from every other, also from a later one with its inode number."""

    device: int
    inode: int
    generation: int


class Original(NamedTuple):
    """The extended attributes of an object as they were; None where there was none."""

    access: bytes | None
    default: bytes | None


class Manifest:
    """The records in an open file, which only this process writes."""

    def __init__(self, fd: int) -> None:
        """Reads the file once; what a broken-off run wrote only in part is cut off."""
        self._fd = fd
        self._heads = array("q", [-1]) * _CHAINS
        self._pending: list[bytes] = []
        self._end = self._read_all()
        self._written = self._end

    @property
    def is_empty(self) -> bool:
        """Nothing was ever recorded."""
        return self._end == 0

    def find(self, identity: Identity) -> Original | None:
        """What was recorded of this object first."""
        offset = self._heads[_chain(identity)]
        if offset >= self._written:
            self.flush()
        while offset >= 0:
            header = os.pread(self._fd, _RECORD.size, offset)
            _, _, previous, *numbers, access, default = _RECORD.unpack(header)
            if tuple(numbers) == identity:
                body = os.pread(self._fd, _length(access) + _length(default), offset + _RECORD.size)
                return _blobs(body, access, default)
            offset = previous
        return None

    def add(self, identity: Identity, original: Original) -> None:
        """Record an object that is not recorded; it is safe on the disk after flush()."""
        chain = _chain(identity)
        body = (original.access or b"") + (original.default or b"")
        lengths = [_ABSENT if blob is None else len(blob) for blob in original]
        record = _RECORD.pack(0, _RECORD.size + len(body), self._heads[chain], *identity, *lengths) + body
        self._pending.append(_CHECK.pack(zlib.crc32(record[_CHECKED_FROM:])) + record[_CHECKED_FROM:])
        self._heads[chain] = self._end
        self._end += len(record)

    def flush(self) -> None:
        """Everything added is on the disk."""
        if self._pending:
            data = memoryview(b"".join(self._pending))
            while data:
                written = os.pwrite(self._fd, data, self._written)
                self._written += written
                data = data[written:]
            os.fdatasync(self._fd)
            self._pending.clear()

    def _read_all(self) -> int:
        end, data = 0, b""
        while True:
            chunk = os.pread(self._fd, _CHUNK, end + len(data))
            data += chunk
            taken = self._take(data, end)
            end, data = end + taken, data[taken:]
            if not chunk:
                os.ftruncate(self._fd, end)
                return end

    def _take(self, data: bytes, base: int) -> int:
        """Bytes of the whole and sound records at the start of data."""
        position = 0
        while position + _RECORD.size <= len(data):
            check, length, previous, *numbers, access, default = _RECORD.unpack_from(data, position)
            record = data[position : position + length]
            if length != _RECORD.size + _length(access) + _length(default) or len(record) < length:
                break
            if zlib.crc32(record[_CHECKED_FROM:]) != check or previous >= base + position:
                break
            self._heads[_chain(Identity(*numbers))] = base + position
            position += length
        return position


def _chain(identity: Identity) -> int:
    return hash(identity) % _CHAINS


def _length(field: int) -> int:
    return 0 if field == _ABSENT else field


def _blobs(body: bytes, access: int, default: int) -> Original:
    cut = _length(access)
    return Original(None if access == _ABSENT else body[:cut], None if default == _ABSENT else body[cut:])

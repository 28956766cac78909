"""NFSv4 access control lists: the form in which Linux hands them over. Pure.

Big-endian: the number of entries; for each its type, flags, rights, the length of who it is about, and who, padded to
four bytes. With sec=sys users are numbers in ASCII; OWNER@, GROUP@ and EVERYONE@ have the flag for special names or
none, as the server likes.
"""

import struct
from collections.abc import Collection
from typing import NamedTuple

NAME = "system.nfs4_acl"
ALLOW, DENY = 0, 1
FILE_INHERIT, DIRECTORY_INHERIT, INHERIT_ONLY, IS_GROUP = 0x1, 0x2, 0x8, 0x40
INHERITED = FILE_INHERIT | DIRECTORY_INHERIT
OWNER, GROUP, EVERYONE = b"OWNER@", b"GROUP@", b"EVERYONE@"

_COUNT, _HEAD = struct.Struct(">I"), struct.Struct(">IIII")
_MOST_ENTRIES, _MOST_NAME = 2048, 1024


class BadNfs4Acl(Exception):
    """These bytes are no NFSv4 list."""


class Entry(NamedTuple):
    """One entry; who as the server spells it."""

    kind: int
    flags: int
    rights: int
    who: bytes


def decode(blob: bytes) -> list[Entry]:
    """The entries of a list in their order, which counts; BadNfs4Acl."""
    if len(blob) < _COUNT.size:
        raise BadNfs4Acl("shorter than its count")
    (count,), position = _COUNT.unpack_from(blob), _COUNT.size
    if count > _MOST_ENTRIES:
        raise BadNfs4Acl(f"{count} entries")
    entries = []
    for _ in range(count):
        entry, position = _entry(blob, position)
        entries.append(entry)
    if position != len(blob):
        raise BadNfs4Acl("longer than its entries")
    return entries


def encode(entries: Collection[Entry]) -> bytes:
    """The extended attribute of these entries."""
    parts = [_COUNT.pack(len(entries))]
    for kind, flags, rights, who in entries:
        parts += [_HEAD.pack(kind, flags, rights, len(who)), who, b"\0" * (-len(who) % 4)]
    return b"".join(parts)


def _entry(blob: bytes, position: int) -> tuple[Entry, int]:
    if position + _HEAD.size > len(blob):
        raise BadNfs4Acl("an entry is cut off")
    kind, flags, rights, length = _HEAD.unpack_from(blob, position)
    begin = position + _HEAD.size
    end = begin + length + -length % 4
    if length > _MOST_NAME or end > len(blob) or any(blob[begin + length : end]):
        raise BadNfs4Acl("the name of an entry is cut off")
    return Entry(kind, flags, rights, blob[begin : begin + length]), end

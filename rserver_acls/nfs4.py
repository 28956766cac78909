"""NFSv4 access control lists: the form in which Linux hands them over, and what sharing makes of one. Pure.

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

_READ_DATA, _WRITE_DATA, _APPEND_DATA, _EXECUTE, _DELETE_CHILD = 0x1, 0x2, 0x4, 0x20, 0x40
_READ_ATTRIBUTES, _WRITE_ATTRIBUTES, _READ_ACL, _SYNCHRONIZE = 0x80, 0x100, 0x20000, 0x100000
_ALWAYS = _READ_ATTRIBUTES | _READ_ACL | _SYNCHRONIZE
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


def rights_of(bits: int, *, is_folder: bool) -> int:
    """The NFSv4 rights that r, w and x (4, 2, 1) stand for.

    Writing needs appending too: some servers take the write bit away from an entry that has only one of them.
    """
    rights = _ALWAYS
    if bits & 4:
        rights |= _READ_DATA
    if bits & 2:
        rights |= _WRITE_DATA | _APPEND_DATA | _WRITE_ATTRIBUTES | (_DELETE_CHILD if is_folder else 0)
    if bits & 1:
        rights |= _EXECUTE
    return rights


def shared(entries: list[Entry], mode: int, owner: int, members: Collection[int], *, is_folder: bool) -> list[Entry]:
    """The list with the owner's rights for members, before everything else, since the first entry that fits counts.

    Folders hand down entries for the three classes, each member and the owner; without all of them what is made in them
    would be closed to its own owner.
    """
    bits = mode >> 6 & 7
    rights = rights_of(bits, is_folder=is_folder)
    given = [Entry(ALLOW, 0, rights, _number(uid)) for uid in sorted(members)]
    rest = without(entries, {owner, *members})
    if not is_folder:
        return given + rest
    handed_down = INHERITED | INHERIT_ONLY
    made = [Entry(ALLOW, handed_down, rights, _number(uid)) for uid in sorted({owner, *members})]
    if not any(entry.flags & INHERITED for entry in rest):
        made += [
            Entry(ALLOW, handed_down | flag, rights_of(mode >> shift & 7, is_folder=True), who)
            for who, shift, flag in ((b"OWNER@", 6, 0), (b"GROUP@", 3, IS_GROUP), (b"EVERYONE@", 0, 0))
        ]
    return given + made + rest


def without(entries: list[Entry], uids: Collection[int]) -> list[Entry]:
    """The list without entries for these users."""
    gone = {_number(uid) for uid in uids}
    return [entry for entry in entries if entry.flags & IS_GROUP or entry.who not in gone]


def _entry(blob: bytes, position: int) -> tuple[Entry, int]:
    if position + _HEAD.size > len(blob):
        raise BadNfs4Acl("an entry is cut off")
    kind, flags, rights, length = _HEAD.unpack_from(blob, position)
    begin = position + _HEAD.size
    end = begin + length + -length % 4
    if length > _MOST_NAME or end > len(blob) or any(blob[begin + length : end]):
        raise BadNfs4Acl("the name of an entry is cut off")
    return Entry(kind, flags, rights, blob[begin : begin + length]), end


def _number(uid: int) -> bytes:
    return b"%d" % uid

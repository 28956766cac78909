"""POSIX access control lists as values, and the form in which the kernel takes and gives them. Pure."""

import struct
from collections.abc import Mapping
from typing import NamedTuple

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
READ, WRITE, EXECUTE = 4, 2, 1

_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_SINGLE = frozenset({_USER_OBJ, _GROUP_OBJ, _MASK, _OTHER})
_VERSION, _NOBODY = 2, 0xFFFFFFFF
_HEADER, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")

# Setting a default list without entries takes it away: the only call needed is fsetxattr.
NO_DEFAULT = _HEADER.pack(_VERSION)


class BadAcl(Exception):
    """These bytes are no access control list that we know."""


class Acl(NamedTuple):
    """One list: rights 0 to 7 of owner, owning group, others, named users and groups; mask None when there is none."""

    user_obj: int
    group_obj: int
    other: int
    mask: int | None
    users: Mapping[int, int]
    groups: Mapping[int, int]


def of_mode(mode: int) -> Acl:
    """The list of an object that has none besides its mode."""
    return Acl(mode >> 6 & 7, mode >> 3 & 7, mode & 7, None, {}, {})


def decode(blob: bytes) -> Acl:
    """The list in an extended attribute; BadAcl."""
    if len(blob) < _HEADER.size or (len(blob) - _HEADER.size) % _ENTRY.size or _HEADER.unpack_from(blob)[0] != _VERSION:
        raise BadAcl("no access control list of version 2")
    single: dict[int, int] = {}
    named: dict[int, dict[int, int]] = {_USER: {}, _GROUP: {}}
    for tag, rights, number in _ENTRY.iter_unpack(blob[_HEADER.size :]):
        if tag in _SINGLE:
            single[tag] = rights & 7
        elif tag in named:
            named[tag][number] = rights & 7
        else:
            raise BadAcl(f"an entry of the unknown kind {tag}")
    if not single.keys() >= _SINGLE - {_MASK}:
        raise BadAcl("an entry for owner, group or others is missing")
    return Acl(single[_USER_OBJ], single[_GROUP_OBJ], single[_OTHER], single.get(_MASK), named[_USER], named[_GROUP])


def encode(acl: Acl) -> bytes:
    """The extended attribute of a list, in the order that the kernel demands."""
    entries = [(_USER_OBJ, acl.user_obj, _NOBODY)]
    entries += [(_USER, rights, number) for number, rights in sorted(acl.users.items())]
    entries.append((_GROUP_OBJ, acl.group_obj, _NOBODY))
    entries += [(_GROUP, rights, number) for number, rights in sorted(acl.groups.items())]
    if acl.mask is not None:
        entries.append((_MASK, acl.mask, _NOBODY))
    entries.append((_OTHER, acl.other, _NOBODY))
    return _HEADER.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in entries)

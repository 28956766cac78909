"""The access list of one open folder, read and written with libacl."""

from collections.abc import Iterator
from typing import Any

import posix1e

from rserver_acls.acl import Acl


def read(fd: int) -> Acl:
    """The access list of an open file or folder."""
    single: dict[int, int] = {}
    users: dict[int, int] = {}
    groups: dict[int, int] = {}
    for entry in posix1e.ACL(fd=fd):
        rights = entry.permset.read << 2 | entry.permset.write << 1 | entry.permset.execute
        if entry.tag_type == posix1e.ACL_USER:
            users[entry.qualifier] = rights
        elif entry.tag_type == posix1e.ACL_GROUP:
            groups[entry.qualifier] = rights
        else:
            single[entry.tag_type] = rights
    return Acl(
        single[posix1e.ACL_USER_OBJ],
        single[posix1e.ACL_GROUP_OBJ],
        single[posix1e.ACL_OTHER],
        single.get(posix1e.ACL_MASK),
        users,
        groups,
    )


def write(fd: int, acl: Acl) -> None:
    """Give an open file or folder this access list; OSError."""
    made = posix1e.ACL()
    for tag, number, rights in _entries(acl):
        entry = made.append()
        entry.tag_type = tag
        if number is not None:
            entry.qualifier = number
        _set(entry.permset, rights)
    made.applyto(fd)


def _entries(acl: Acl) -> Iterator[tuple[int, int | None, int]]:
    yield posix1e.ACL_USER_OBJ, None, acl.user_obj
    for uid, rights in sorted(acl.users.items()):
        yield posix1e.ACL_USER, uid, rights
    yield posix1e.ACL_GROUP_OBJ, None, acl.group_obj
    for gid, rights in sorted(acl.groups.items()):
        yield posix1e.ACL_GROUP, gid, rights
    if acl.mask is not None:
        yield posix1e.ACL_MASK, None, acl.mask
    yield posix1e.ACL_OTHER, None, acl.other


def _set(permissions: Any, rights: int) -> None:
    permissions.clear()
    for bit, name in ((4, posix1e.ACL_READ), (2, posix1e.ACL_WRITE), (1, posix1e.ACL_EXECUTE)):
        if rights & bit:
            permissions.add(name)

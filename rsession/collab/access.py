"""Whether another user may read and write a file, by mode bits and lists of it and the folders above. Blocking."""

import errno
import os
import pwd
import stat
import struct

from rserver_core.nfs4_list import NAME
from rsession.collab.nfs4_access import nfs4_permits
from rsession.collab.person import Person

_ACL = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_VERSION = struct.pack("<I", 2)
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 1, 2, 4, 8, 16, 32
_READ_WRITE, _SEARCH = 6, 1


def person(user: str) -> Person | None:
    """The account of this name, with all its groups; None when there is none."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    return Person(user, entry.pw_uid, frozenset(os.getgrouplist(user, entry.pw_gid)))


def may_edit(path: str, user: str) -> bool:
    """Whether the kernel would let this user open the file for reading and writing."""
    who = person(user)
    if who is None:
        return False
    if who.uid == os.getuid():
        return os.access(path, os.R_OK | os.W_OK)
    real = os.path.realpath(path)
    try:
        if not stat.S_ISREG(os.stat(real).st_mode) or not permits(real, who, _READ_WRITE):
            return False
        folder = os.path.dirname(real)
        while permits(folder, who, _SEARCH):
            if folder == "/":
                return True
            folder = os.path.dirname(folder)
    except OSError:
        pass
    return False


def permits(path: str, who: Person, wanted: int) -> bool:
    """Whether one object grants `wanted` (4 read, 2 write, 1 search): the algorithm of acl(5). OSError.

    Where an NFS server decides, its list is asked: the mode tells too little of it.
    """
    if who.uid == 0:
        return True
    facts = os.stat(path)
    of_server = _attribute(path, NAME)
    if of_server is not None:
        return nfs4_permits(of_server, facts, who, wanted)
    # Where the mask grants nothing, Linux looks at the mode bits alone.
    acl = _acl(path) if facts.st_mode & stat.S_IRWXG else None
    if acl is None:
        return _by_mode(facts, who, wanted)
    mask = next((allowed for tag, allowed, _ in acl if tag == _MASK), 7)
    if who.uid == facts.st_uid:
        return _grants(acl, _USER_OBJ, wanted)
    named = [allowed for tag, allowed, id_ in acl if tag == _USER and id_ == who.uid]
    if named:
        return named[0] & mask & wanted == wanted
    groups = [allowed for tag, allowed, id_ in acl if _is_group(tag, id_, facts.st_gid, who)]
    if groups:
        return any(allowed & mask & wanted == wanted for allowed in groups)
    return _grants(acl, _OTHER, wanted)


def _by_mode(facts: os.stat_result, who: Person, wanted: int) -> bool:
    shift = 6 if who.uid == facts.st_uid else 3 if facts.st_gid in who.groups else 0
    return facts.st_mode >> shift & wanted == wanted


def _is_group(tag: int, id_: int, owning: int, who: Person) -> bool:
    return (tag == _GROUP_OBJ and owning in who.groups) or (tag == _GROUP and id_ in who.groups)


def _grants(acl: list[tuple[int, int, int]], wanted_tag: int, wanted: int) -> bool:
    return any(tag == wanted_tag and allowed & wanted == wanted for tag, allowed, _ in acl)


def _acl(path: str) -> list[tuple[int, int, int]] | None:
    """(tag, permissions, id) of each entry; None without one."""
    data = _attribute(path, _ACL)
    if data is None:
        return None
    if not data.startswith(_VERSION) or len(data) % _ENTRY.size != len(_VERSION):
        raise OSError(errno.EINVAL, "the ACL cannot be read")
    return list(_ENTRY.iter_unpack(data[len(_VERSION) :]))


def _attribute(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return None
        raise

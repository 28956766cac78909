"""What a project's folder says before it is shared: whether it can be, and who can get at it already. Blocking."""

import errno
import os
import pwd

import posix1e

from rserver_core.nfs4_list import NAME

_ACCESS = "system.posix_acl_access"
_NO_LISTS = "The file system of this project keeps no access control lists, without which it cannot be shared."
_READ_ONLY = "This project is read-only at the moment, so it cannot be shared."
_FOREIGN = "This project cannot be shared: {folder}, in which it lies, belongs to somebody else."
_MOST_NAMED = 5


def obstacle(folder: str, home: str) -> str:
    """Why the user's folder cannot be shared; empty: as far as can be seen it can. home: without links in its path."""
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return _READ_ONLY
        if not _keeps_lists(folder):
            return _NO_LISTS
        return _foreign_part(folder, home)
    except OSError:
        return ""


def _keeps_lists(folder: str) -> bool:
    try:
        os.getxattr(folder, _ACCESS)
    except OSError as error:
        return error.errno != errno.EOPNOTSUPP or NAME in os.listxattr(folder)
    return True


def _foreign_part(folder: str, home: str) -> str:
    above = os.path.dirname(folder)
    while above.startswith(f"{home}/"):
        if os.stat(above).st_uid != os.getuid():
            return _FOREIGN.format(folder=above)
        above = os.path.dirname(above)
    return ""


def let_in(folder: str) -> list[str]:
    """Accounts besides the user that the folder's POSIX lists give anything, by name, else by uid."""
    try:
        lists = (posix1e.ACL(file=folder), posix1e.ACL(filedef=folder))
    except OSError:
        return []
    return sorted(_name(uid) for uid in set().union(*map(_users, lists)) - {os.getuid()})


def _users(acl: posix1e.ACL) -> set[int]:
    masks = [_rights(entry) for entry in acl if entry.tag_type == posix1e.ACL_MASK]
    mask = masks[0] if masks else 7
    return {entry.qualifier for entry in acl if entry.tag_type == posix1e.ACL_USER and _rights(entry) & mask}


def _rights(entry: posix1e.Entry) -> int:
    given = entry.permset
    return 4 * bool(given.read) + 2 * bool(given.write) + bool(given.execute)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def told(names: list[str]) -> str:
    """The sentence for the owner of a project that is not shared."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"The project is not shared, but its folder lets in: {', '.join(names[:_MOST_NAMED])}{more}. It may have been "
        "moved while it was shared: then taking it back ends that. Entries made by hand, and those of copies, stay."
    )

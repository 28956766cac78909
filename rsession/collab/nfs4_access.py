"""What the NFSv4 list of a file or folder grants a user: the first entry that fits and speaks of a right decides."""

import errno
import grp
import os
import stat

from rserver_core.nfs4_domain import domain_of_machine, spelled
from rserver_core.nfs4_list import EVERYONE, GROUP, IS_GROUP, OWNER, BadNfs4Acl, Entry, decode
from rserver_core.nfs4_rights import Fits, allowed, bits_of, number
from rsession.collab.person import Person


def nfs4_permits(blob: bytes, facts: os.stat_result, who: Person, wanted: int) -> bool:
    """Whether the list in this extended attribute grants `wanted` (4 read, 2 write, 1 search); OSError."""
    try:
        entries = decode(blob)
    except BadNfs4Acl as error:
        raise OSError(errno.EINVAL, f"the NFSv4 ACL cannot be read: {error}") from error
    has_names = any(b"@" in entry.who[:-1] for entry in entries)
    fits = _fits(facts, who, domain_of_machine(os.uname().nodename) if has_names else "")
    return bits_of(allowed(entries, fits).surely, is_folder=stat.S_ISDIR(facts.st_mode)) & wanted == wanted


def _fits(facts: os.stat_result, who: Person, domain: str) -> Fits:
    users = {number(who.uid), *((spelled(who.name, domain),) if domain else ())}
    groups = {number(gid) for gid in who.groups} | (_names(who.groups, domain) if domain else set())

    def fits(entry: Entry) -> bool:
        if entry.who == OWNER:
            return who.uid == facts.st_uid
        if entry.who == GROUP:
            return facts.st_gid in who.groups
        return entry.who == EVERYONE or entry.who in (groups if entry.flags & IS_GROUP else users)

    return fits


def _names(groups: frozenset[int], domain: str) -> set[bytes]:
    found = set()
    for gid in groups:
        try:
            found.add(spelled(grp.getgrgid(gid).gr_name, domain))
        except KeyError:
            continue
    return found

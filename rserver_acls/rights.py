"""What giving rights to users, and taking them back, makes of a list. Pure.

Nobody else's effective rights change: before the mask is widened, what it took away is taken out of the entries.
"""

from collections.abc import Collection, Mapping

from rserver_acls.acl import Acl


def settled(acl: Acl) -> Acl:
    """The same effective rights without a mask."""
    if acl.mask is None:
        return acl
    users = {uid: rights & acl.mask for uid, rights in acl.users.items()}
    groups = {gid: rights & acl.mask for gid, rights in acl.groups.items()}
    return acl._replace(group_obj=acl.group_obj & acl.mask, mask=None, users=users, groups=groups)


def masked(acl: Acl) -> Acl:
    """A settled list with the mask that lets every entry count; none when nobody is named."""
    if not acl.users and not acl.groups:
        return acl
    mask = acl.group_obj
    for rights in (*acl.users.values(), *acl.groups.values()):
        mask |= rights
    return acl._replace(mask=mask)


def have(acl: Acl, wanted: Mapping[int, int]) -> bool:
    """True when each of these users has exactly these effective rights by an entry of his own."""
    mask = 7 if acl.mask is None else acl.mask
    return all(uid in acl.users and acl.users[uid] & mask == rights for uid, rights in wanted.items())


def given(acl: Acl, wanted: Mapping[int, int]) -> Acl:
    """The list with these rights for these users; the same one when they have them."""
    if have(acl, wanted):
        return acl
    plain = settled(acl)
    return masked(plain._replace(users={**plain.users, **wanted}))


def taken(acl: Acl, uids: Collection[int], original: Acl | None, *, only_less: bool = False) -> Acl:
    """The list without these users, but with what the original gave them; the same one when none is named.

    only_less: nobody may end with more than he has now.
    """
    if not any(uid in acl.users for uid in uids):
        return acl
    plain = settled(acl)
    before = settled(original).users if original else {}
    users = {uid: rights for uid, rights in plain.users.items() if uid not in uids}
    for uid in uids:
        if uid in before:
            users[uid] = before[uid] & plain.users.get(uid, 0) if only_less else before[uid]
    if not users and not plain.groups and original is not None and _is_bare_mask(original):
        return plain._replace(users={}, mask=plain.group_obj)
    return masked(plain._replace(users=dict(sorted(users.items()))))


def _is_bare_mask(acl: Acl) -> bool:
    """A mask where nobody is named; `setfacl -m m::r` makes such lists."""
    return acl.mask is not None and not acl.users and not acl.groups


def rights_of(acl: Acl, uid: int, gid: int, gids: Collection[int]) -> int:
    """Effective rights of a user who is not the owner. gid: the object's group; gids: all groups of the user."""
    plain = settled(acl)
    if uid in plain.users:
        return plain.users[uid]
    of_groups = [rights for number, rights in plain.groups.items() if number in gids]
    if gid in gids:
        of_groups.append(plain.group_obj)
    if not of_groups:
        return plain.other
    union = 0
    for rights in of_groups:
        union |= rights
    return union

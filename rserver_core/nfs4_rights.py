"""What the entries of an NFSv4 list allow, and giving users rights by entries of their own. Pure.

The first entry that fits and speaks of a right decides on it. Users and groups that matter here are numbers in ASCII.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from rserver_core.nfs4_list import ALLOW, DENY, EVERYONE, GROUP, IS_GROUP, OWNER, Entry

_READ_DATA, _WRITE_DATA, _APPEND_DATA, _EXECUTE, _DELETE_CHILD = 0x1, 0x2, 0x4, 0x20, 0x40
_READ_ATTRIBUTES, _WRITE_ATTRIBUTES, _READ_ACL, _SYNCHRONIZE = 0x80, 0x100, 0x20000, 0x100000
_ALWAYS = _READ_ATTRIBUTES | _READ_ACL | _SYNCHRONIZE
_ALL = 0xFFFFFFFF

# True: the entry is about this user; None: only the server knows, as with groups.
Fits = Callable[[Entry], bool | None]


class Allowed(NamedTuple):
    """Rights that somebody has for certain, and those that he may have by a group."""

    surely: int
    perhaps: int


def rights_of(bits: int, *, is_folder: bool) -> int:
    """The NFSv4 rights that r, w and x (4, 2, 1) stand for.

    Writing needs appending too, and in folders deleting: servers that keep mode bits take w away from an entry that
    has only one of them.
    """
    rights = _ALWAYS
    if bits & 4:
        rights |= _READ_DATA
    if bits & 2:
        rights |= _writing(is_folder) | _WRITE_ATTRIBUTES
    if bits & 1:
        rights |= _EXECUTE
    return rights


def bits_of(rights: int, *, is_folder: bool) -> int:
    """r, w and x (4, 2, 1) that these rights amount to."""
    writing = _writing(is_folder)
    return (4 if rights & _READ_DATA else 0) | (2 if rights & writing == writing else 0) | bool(rights & _EXECUTE)


def number(uid: int) -> bytes:
    """How an entry names a user or a group."""
    return b"%d" % uid


def is_user(entry: Entry, uid: int) -> bool:
    """The entry names this user."""
    return not entry.flags & IS_GROUP and entry.who == number(uid)


def names(entries: Iterable[Entry], uids: Collection[int]) -> bool:
    """Some entry names one of these users."""
    known = {number(uid) for uid in uids}
    return any(entry.who in known and not entry.flags & IS_GROUP for entry in entries)


def allowed(entries: Iterable[Entry], fits: Fits) -> Allowed:
    """What a list allows somebody."""
    surely = perhaps = 0
    undecided = undoubted = _ALL
    for entry in entries:
        fit = fits(entry) if entry.kind in {ALLOW, DENY} else False
        if fit is False:
            continue
        if entry.kind == ALLOW:
            perhaps |= entry.rights & undecided
            surely |= entry.rights & undoubted if fit else 0
        if fit:
            undecided &= ~entry.rights
        if fit or entry.kind == DENY:
            undoubted &= ~entry.rights
    return Allowed(surely, perhaps)


def as_user(uid: int) -> Fits:
    """A named user who owns nothing of it, and whose groups are not known."""

    def fits(entry: Entry) -> bool | None:
        if entry.flags & IS_GROUP or entry.who == GROUP:
            return None
        return entry.who == EVERYONE or is_user(entry, uid)

    return fits


def as_owner(entry: Entry) -> bool:
    """Whoever owns the object."""
    return entry.who in {OWNER, EVERYONE}


def without(entries: Iterable[Entry], uids: Collection[int]) -> tuple[Entry, ...]:
    """The list without entries for these users."""
    gone = {number(uid) for uid in uids}
    return tuple(entry for entry in entries if entry.flags & IS_GROUP or entry.who not in gone)


def of(entries: Iterable[Entry], uids: Collection[int]) -> tuple[Entry, ...]:
    """Only the entries for these users."""
    wanted = {number(uid) for uid in uids}
    return tuple(entry for entry in entries if not entry.flags & IS_GROUP and entry.who in wanted)


def of_others(entries: Iterable[Entry], uids: Collection[int]) -> tuple[Entry, ...]:
    """Neither these users' entries, nor what servers derive from them: what they have and the owner has not."""
    return tuple(entry for entry in without(entries, uids) if entry.kind != DENY or entry.who != OWNER)


def given(
    entries: tuple[Entry, ...], wanted: Mapping[int, int], *, is_folder: bool, flags: int = 0
) -> tuple[Entry, ...]:
    """The list with exactly these rights (4, 2, 1) for these users; the same one when they have them.

    Their entries come first, since the first that fits counts; what groups and everybody have beyond is denied to them.
    """
    if all(_has(entries, uid, bits, is_folder) for uid, bits in wanted.items()):
        return entries
    rest = without(entries, wanted)
    beyond = _counted(is_folder) & _of_groups_and_everyone(rest)
    made = []
    for uid, bits in sorted(wanted.items()):
        rights = rights_of(bits, is_folder=is_folder)
        if denied := beyond & ~rights:
            made.append(Entry(DENY, flags, denied, number(uid)))
        made.append(Entry(ALLOW, flags, rights, number(uid)))
    return (*made, *rest)


def _has(entries: tuple[Entry, ...], uid: int, bits: int, is_folder: bool) -> bool:
    if not any(entry.kind == ALLOW and is_user(entry, uid) for entry in entries):
        return False
    counted = _counted(is_folder)
    rights = rights_of(bits, is_folder=is_folder) & counted
    return all(found & counted == rights for found in allowed(entries, as_user(uid)))


def _of_groups_and_everyone(entries: Iterable[Entry]) -> int:
    rights = 0
    for entry in entries:
        if entry.kind == ALLOW and (entry.flags & IS_GROUP or entry.who in {GROUP, EVERYONE}):
            rights |= entry.rights
    return rights


def _writing(is_folder: bool) -> int:
    return _WRITE_DATA | _APPEND_DATA | (_DELETE_CHILD if is_folder else 0)


def _counted(is_folder: bool) -> int:
    return _READ_DATA | _EXECUTE | _writing(is_folder)

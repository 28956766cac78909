"""What one run does to the NFSv4 list of one object, from what it has and what was recorded of it. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from rserver_acls.plan import Plan
from rserver_core.nfs4_list import EVERYONE, GROUP, INHERIT_ONLY, INHERITED, OWNER, Entry
from rserver_core.nfs4_rights import allowed, as_owner, bits_of, given, names, of, of_others, without

_NO_PROPAGATE = 0x4
_HANDED_DOWN = INHERITED | INHERIT_ONLY
_CLASSES = frozenset({OWNER, GROUP, EVERYONE})


class Lists(NamedTuple):
    """Entries that count for the object itself, and those that a folder hands down to what is made in it."""

    access: tuple[Entry, ...]
    handed: tuple[Entry, ...] = ()


class Facts(NamedTuple):
    """Of an object. bits: its owner's rights (4, 2, 1)."""

    uid: int
    bits: int
    is_folder: bool


def split(entries: Iterable[Entry]) -> Lists:
    """An entry that counts here and is handed down becomes two."""
    entries = tuple(entries)
    return Lists(
        tuple(
            entry._replace(flags=entry.flags & ~(INHERITED | _NO_PROPAGATE))
            for entry in entries
            if not entry.flags & INHERIT_ONLY
        ),
        tuple(entry._replace(flags=entry.flags | INHERIT_ONLY) for entry in entries if entry.flags & INHERITED),
    )


def of_classes(access: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """What a folder hands down that says nothing about it: the rights of the classes, without the people it names."""
    return tuple(entry._replace(flags=entry.flags | _HANDED_DOWN) for entry in access if entry.who in _CLASSES)


def shared(lists: Lists, plan: Plan, facts: Facts) -> Lists:
    """What sharing makes of an object: the same lists when they are as they should be.

    Folders hand down entries for the three classes too: without them what is made there would be closed to its owner.
    """
    wanted = dict.fromkeys(plan.giving, facts.bits)
    # The owner of the project must be able to work with what a member made.
    if facts.uid != plan.owner and wanted:
        wanted[plan.owner] = facts.bits
    access = given(lists.access, wanted, is_folder=facts.is_folder)
    if not (facts.is_folder and plan.giving):
        return Lists(access, lists.handed)
    base = lists.handed or of_classes(lists.access)
    bits = facts.bits
    if any(entry.who == OWNER for entry in base):
        bits = bits_of(allowed(base, as_owner).surely, is_folder=True)
    heirs = dict.fromkeys([*plan.giving, plan.owner], bits)
    return Lists(access, given(base, heirs, is_folder=True, flags=_HANDED_DOWN))


def unshared(lists: Lists, original: Lists | None, plan: Plan, facts: Facts) -> Lists:
    """What unsharing makes of it: exactly the original where nobody else changed anything since."""
    if original is None:
        return stripped(lists, None, _without_doubtful(lists, plan), facts.uid)
    if not _differs_by_ours_alone(lists, original, plan):
        return stripped(lists, original, plan, facts.uid)
    return shared(original, plan._replace(giving=plan.staying), facts) if plan.staying else original


def stripped(lists: Lists, original: Lists | None, plan: Plan, uid: int) -> Lists:
    """The lists without those who leave, and with what the original gave these."""
    everybody_leaves = not plan.staying
    gone = plan.leaving | ({plan.owner} if everybody_leaves and uid == plan.owner else frozenset())
    heirs = plan.leaving | ({plan.owner} if everybody_leaves else frozenset())
    before = original or Lists(())
    access = _put_back(lists.access, before.access, gone)
    handed = _put_back(lists.handed, before.handed, heirs)
    is_bare = all(entry.who in _CLASSES for entry in handed)
    if not before.handed and is_bare and handed != lists.handed:
        handed = ()
    return Lists(access, handed)


def newly_named(lists: Lists, plan: Plan) -> bool:
    """Somebody who comes in this run is named already."""
    return names((*lists.access, *lists.handed), plan.giving - plan.before)


def without_ours(lists: Lists, plan: Plan, uid: int) -> Lists:
    """What an object that was never recorded would have had without earlier runs: it was made in between."""
    ours = plan.before | (plan.joining if _was_handed_down(lists, plan) else frozenset())
    if not names((*lists.access, *lists.handed), ours):
        return lists
    return stripped(lists, None, plan._replace(leaving=ours, staying=frozenset()), uid)


def revoked(lists: Lists, original: Lists | None, plan: Plan) -> Lists:
    """For an object with several names, which may lie elsewhere too: who leaves loses, nobody gains."""
    kept = set(of(original.access, plan.leaving)) if original else set()
    gone = set(of(lists.access, plan.leaving)) - kept
    return lists._replace(access=tuple(entry for entry in lists.access if entry.kind or entry not in gone))


def _without_doubtful(lists: Lists, plan: Plan) -> Plan:
    """A broken-off run has not come by here: entries of those who were joining are older than it."""
    return plan if _was_handed_down(lists, plan) else plan._replace(leaving=plan.leaving - plan.joining)


def _was_handed_down(lists: Lists, plan: Plan) -> bool:
    """By a broken-off run: all who were joining are named, and the owner, which nobody writes by hand."""
    everything = (*lists.access, *lists.handed)
    return bool(plan.joining) and all(names(everything, {user}) for user in {*plan.joining, plan.owner})


def _put_back(entries: tuple[Entry, ...], before: tuple[Entry, ...], gone: frozenset[int]) -> tuple[Entry, ...]:
    if not names(entries, gone):
        return entries
    return (*of(before, gone), *without(entries, gone))


def _differs_by_ours_alone(lists: Lists, original: Lists, plan: Plan) -> bool:
    handed = original.handed or (of_classes(original.access) if lists.handed else ())
    pairs = (lists.access, original.access), (lists.handed, handed)
    return all(of_others(now, plan.people) == of_others(before, plan.people) for now, before in pairs)

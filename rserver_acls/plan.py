"""What one run does to one object, from what the object has and what was recorded of it. Pure."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from rserver_acls.acl import Acl
from rserver_acls.rights import given, settled, taken


class Plan(NamedTuple):
    """One run on the tree of one project; users are uids.

    before: whoever may have entries of ours already. giving: who is to have the owner's rights afterwards.
    leaving: who is to lose them. staying: who keeps them. joining: whose entries this run, or one broken off, has made.
    past: who was a member earlier and may have left files, from which entries are taken as from the others.
    """

    owner: int
    before: frozenset[int]
    giving: frozenset[int]
    leaving: frozenset[int]
    staying: frozenset[int]
    joining: frozenset[int] = frozenset()
    past: frozenset[int] = frozenset()

    @property
    def people(self) -> frozenset[int]:
        """Whose files are touched at all."""
        return self.before | self.giving | self.leaving | self.joining | self.past | {self.owner}


class Lists(NamedTuple):
    """The two lists of an object; default is None for files and where a folder has none."""

    access: Acl
    default: Acl | None = None


def is_ours(lists: Lists, plan: Plan, is_folder: bool, *, is_recent: bool) -> bool:
    """Everything beyond the mode was put there by earlier runs: nothing of it needs to be recorded.

    is_recent: changed since the run began that lets somebody join, whose entries then are ours.
    """
    known = plan.before | plan.leaving | {plan.owner}
    if is_recent:
        known |= plan.joining
    return _explained(lists.access, known, may_be_bare=True) and (
        not is_folder or lists.default is None or _explained(lists.default, known, may_be_bare=False)
    )


def _explained(acl: Acl, known: frozenset[int], *, may_be_bare: bool) -> bool:
    if acl.mask is None and not acl.users and not acl.groups:
        return may_be_bare
    return bool(acl.users) and not acl.groups and known >= acl.users.keys() and len(known) > 1


def shared(lists: Lists, plan: Plan, uid: int, is_folder: bool) -> Lists:
    """What sharing makes of an object of that owner: the same lists when they are as they should be."""
    access = given(lists.access, _wanted(plan.giving, plan.owner, uid, lists.access.user_obj))
    default = lists.default
    if is_folder and plan.giving:
        plain = settled(lists.access)
        base = default or Acl(plain.user_obj, plain.group_obj, plain.other, None, {}, {})
        default = given(base, dict.fromkeys([*plan.giving, plan.owner], base.user_obj))
    return Lists(access, default)


def unshared(lists: Lists, original: Lists | None, plan: Plan, uid: int, is_folder: bool) -> Lists:
    """What unsharing makes of it: exactly the original where nobody else changed anything since."""
    if original is None:
        return Lists(_without(lists.access, None, plan, uid), _default_without(lists.default, None, plan))
    restored = _restored(original, plan, uid, is_folder)
    # What joined in a run that was broken off may be there or not, also in one list and not in the other.
    made = [plan._replace(giving=users) for users in (plan.before, plan.before | plan.joining)]
    known = [restored, *(shared(original, like, uid, is_folder) for like in made)]
    access, default = restored
    if lists.access not in [other.access for other in known]:
        access = _without(lists.access, original.access, plan, uid)
    if lists.default not in [other.default for other in known]:
        default = _default_without(lists.default, original.default, plan)
    return Lists(access, default)


def _restored(original: Lists, plan: Plan, uid: int, is_folder: bool) -> Lists:
    return shared(original, plan._replace(giving=plan.staying), uid, is_folder) if plan.staying else original


def revoked(acl: Acl, original: Acl | None, plan: Plan) -> Acl:
    """For an object with several names, which may lie elsewhere too: who leaves loses, nobody gains."""
    if acl == original:
        return acl
    return taken(acl, plan.leaving, original, only_less=True)


def _without(acl: Acl, original: Acl | None, plan: Plan, uid: int) -> Acl:
    gone = plan.leaving
    if not plan.staying and uid == plan.owner:
        gone |= {plan.owner}
    return taken(acl, gone, original)


def _default_without(acl: Acl | None, original: Acl | None, plan: Plan) -> Acl | None:
    if acl is None:
        return None
    less = taken(acl, plan.leaving if plan.staying else plan.leaving | {plan.owner}, original)
    is_bare = not less.users and not less.groups
    return None if less is not acl and is_bare and original is None else less


def _wanted(users: Collection[int], owner: int, uid: int, rights: int) -> Mapping[int, int]:
    wanted = dict.fromkeys(users, rights)
    # The owner of the project must be able to work with what a member made.
    if uid != owner and users:
        wanted[owner] = rights
    return wanted

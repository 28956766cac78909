"""What sharing makes of NFSv4 lists, and back, through a server that keeps POSIX lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_acls import plan as posix
from rserver_acls.acl import Acl, of_mode
from rserver_acls.nfs4_plan import Facts, Lists, newly_named, revoked, shared, split, unshared, without_ours
from rserver_acls.plan import Plan
from rserver_acls.rights import masked, settled
from rserver_core.nfs4_list import ALLOW, DENY, EVERYONE, GROUP, INHERIT_ONLY, IS_GROUP, OWNER, Entry
from rserver_core.nfs4_rights import allowed, as_owner, as_user, bits_of, number, rights_of
from tests.rserver_acls.linux_nfs_server import to_nfs4, to_posix

OWNER_UID, ALICE, EVE, STRANGER = 1001, 1002, 1003, 1009
BITS = st.integers(0, 7)
NONE = frozenset[int]()


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    """A list whose mask, if any, takes nothing away that the server could not show."""
    users = draw(st.dictionaries(st.sampled_from([ALICE, STRANGER]), BITS, max_size=2))
    groups = draw(st.dictionaries(st.sampled_from([50, 51]), BITS, max_size=2))
    return masked(Acl(draw(BITS), draw(BITS), draw(BITS), None, users, groups))


def sharing(*members: int, before: frozenset[int] = NONE, joining: frozenset[int] = NONE) -> Plan:
    everybody = before | set(members)
    return Plan(OWNER_UID, before, frozenset(members) | before, NONE, everybody, joining)


def leaving(*members: int, staying: frozenset[int] = NONE) -> Plan:
    return Plan(OWNER_UID, frozenset(members) | staying, NONE, frozenset(members), staying)


def facts(acl: Acl, *, is_folder: bool, uid: int = OWNER_UID) -> Facts:
    return Facts(uid, acl.user_obj, is_folder)


def kept(lists: Lists, *, is_folder: bool) -> Lists:
    """As the server shows what it was given."""
    return split(to_nfs4(*to_posix((*lists.access, *lists.handed), is_folder=is_folder), is_folder=is_folder))


@given(acls(), st.none() | acls(), st.booleans())
def test_the_model_of_the_server_is_stable(access: Acl, default: Acl | None, is_folder: bool) -> None:
    default = default if is_folder else None
    found = to_posix(to_nfs4(access, default, is_folder=is_folder), is_folder=is_folder)
    assert settled(found[0]) == settled(access)
    assert (found[1] and settled(found[1])) == (default and settled(default))


@given(acls(), st.none() | acls(), st.booleans(), st.sampled_from([OWNER_UID, ALICE]))
def test_the_server_keeps_what_sharing_makes_of_posix_lists(
    access: Acl, default: Acl | None, is_folder: bool, uid: int
) -> None:
    """And then nothing is left to do."""
    default = default if is_folder else None
    plan = sharing(ALICE, EVE)
    about = facts(access, is_folder=is_folder, uid=uid)
    lists = shared(split(to_nfs4(access, default, is_folder=is_folder)), plan, about)
    found = to_posix((*lists.access, *lists.handed), is_folder=is_folder)
    expected = posix.shared(posix.Lists(access, default), plan, uid, is_folder)
    assert settled(found[0]) == settled(expected.access)
    assert (found[1] and settled(found[1])) == (expected.default and settled(expected.default))
    again = kept(lists, is_folder=is_folder)
    assert shared(again, plan, about) == again


@given(acls(), st.none() | acls(), st.booleans())
def test_back_to_the_original(access: Acl, default: Acl | None, is_folder: bool) -> None:
    default = default if is_folder else None
    original, about = split(to_nfs4(access, default, is_folder=is_folder)), facts(access, is_folder=is_folder)
    both = kept(shared(original, sharing(ALICE, EVE), about), is_folder=is_folder)
    assert unshared(both, original, leaving(ALICE, EVE), about) == original
    one = kept(unshared(both, original, leaving(EVE, staying=frozenset({ALICE})), about), is_folder=is_folder)
    assert one == kept(shared(original, sharing(ALICE), about), is_folder=is_folder)
    assert unshared(one, original, leaving(ALICE), about) == original


@given(st.integers(0, 0o777), st.booleans())
def test_what_was_made_in_between_needs_no_record(mode: int, is_folder: bool) -> None:
    """Made while the project was shared: handed down to it, and nobody wrote it down."""
    plain = split(to_nfs4(of_mode(mode), is_folder=is_folder))
    about = facts(of_mode(mode), is_folder=is_folder)
    plan = sharing(ALICE, OWNER_UID, before=frozenset({ALICE, OWNER_UID}))
    made = kept(shared(plain, plan, about), is_folder=is_folder)
    assert unshared(made, None, leaving(ALICE), about) == plain
    assert without_ours(made, sharing(EVE, before=frozenset({ALICE})), OWNER_UID) == plain


def test_a_change_by_hand_stays() -> None:
    original = split(to_nfs4(of_mode(0o640)))
    about = facts(of_mode(0o640), is_folder=False)
    changed = kept(shared(original, sharing(ALICE), about), is_folder=False)
    changed = Lists((Entry(ALLOW, 0, rights_of(4, is_folder=False), number(STRANGER)), *changed.access))
    left = unshared(changed, original, leaving(ALICE), about)
    assert [entry.who for entry in left.access] == [number(STRANGER), OWNER, GROUP, EVERYONE]


def test_what_an_earlier_list_gave_a_member_is_his_again() -> None:
    before = masked(Acl(6, 4, 0, None, {ALICE: 4}, {}))
    original, about = split(to_nfs4(before)), facts(before, is_folder=False)
    assert newly_named(original, sharing(ALICE))
    changed = kept(shared(original, sharing(ALICE), about), is_folder=False)
    changed = Lists((*changed.access, Entry(DENY, 0, 1, number(STRANGER))))
    left = unshared(changed, original, leaving(ALICE), about).access
    assert bits_of(allowed(left, as_user(ALICE)).surely, is_folder=False) == 4


def test_broken_off_runs() -> None:
    """What they handed down is theirs; an entry of somebody who joins, where they have not been, is older."""
    joining = frozenset({ALICE, EVE})
    plan = Plan(OWNER_UID, NONE, NONE, joining, NONE, joining)
    by_hand = split(to_nfs4(masked(Acl(6, 4, 0, None, {ALICE: 6}, {}))))
    assert unshared(by_hand, None, plan, Facts(OWNER_UID, 6, False)) == by_hand
    assert without_ours(by_hand, sharing(ALICE, EVE, joining=joining), OWNER_UID) == by_hand
    handed_down = split(to_nfs4(masked(Acl(6, 4, 0, None, {ALICE: 6, EVE: 6, OWNER_UID: 6}, {}))))
    plain = split(to_nfs4(of_mode(0o640)))
    assert unshared(handed_down, None, plan, Facts(OWNER_UID, 6, False)) == plain
    assert without_ours(handed_down, sharing(ALICE, EVE, joining=joining), OWNER_UID) == plain


def test_files_with_several_names_only_lose() -> None:
    entries = (
        Entry(DENY, 0, 2, number(ALICE)),
        Entry(ALLOW, 0, 1, number(ALICE)),
        Entry(ALLOW, 0, 7, number(EVE)),
        Entry(ALLOW, 0, 1, EVERYONE),
    )
    assert revoked(Lists(entries), None, leaving(ALICE)).access == (entries[0], *entries[2:])
    assert revoked(Lists(entries), Lists(entries), leaving(ALICE)).access == entries


def test_entries_that_count_here_and_are_handed_down() -> None:
    """As other servers keep them: changing the one leaves the other."""
    rights = rights_of(7, is_folder=True)
    lists = split(
        [Entry(ALLOW, 0x3, rights, OWNER), Entry(ALLOW, 0x43, rights, b"staff"), Entry(ALLOW, 0, 1, EVERYONE)]
    )
    assert [entry.flags for entry in lists.access] == [0, IS_GROUP, 0]
    assert [entry.flags for entry in lists.handed] == [0xB, 0x4B]
    found = shared(lists, sharing(ALICE), Facts(OWNER_UID, 7, True))
    assert all(entry.flags & INHERIT_ONLY for entry in found.handed)
    assert {entry.who for entry in found.handed} == {number(ALICE), number(OWNER_UID), OWNER, b"staff"}


@pytest.mark.parametrize("kind", [ALLOW, DENY])
def test_what_only_groups_say_is_uncertain(kind: int) -> None:
    entries = (Entry(kind, IS_GROUP, 7, b"50"), Entry(ALLOW, 0, 1, number(ALICE)))
    found = allowed(entries, as_user(ALICE))
    assert (found.surely, found.perhaps) == ((1, 7) if kind == ALLOW else (0, 1))
    assert allowed(entries, as_owner).perhaps == 0

"""The arithmetic of lists, for any list and any users; libacl says which lists are good ones."""

import posix1e
from hypothesis import given
from hypothesis import strategies as st

from rserver_acls.acl import Acl, decode, encode, of_mode
from rserver_acls.plan import Lists, Plan, shared, unshared
from rserver_acls.rights import given as give
from rserver_acls.rights import rights_of, settled, taken

BITS = st.integers(0, 7)
NAMED = st.dictionaries(st.integers(1, 9), BITS, max_size=4)
OWNER = 1


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    """Any list that the kernel would take."""
    users, groups = draw(NAMED), draw(NAMED)
    mask = draw(BITS if users or groups else st.none() | BITS)
    return Acl(draw(BITS), draw(BITS), draw(BITS), mask, users, groups)


PLAIN = st.integers(0, 0o777).map(of_mode)
MEMBERS = st.frozensets(st.integers(2, 9), min_size=1, max_size=3)


@given(acls())
def test_coding(acl: Acl) -> None:
    assert decode(encode(acl)) == acl


@given(acls(), MEMBERS)
def test_members_gain_what_they_are_given_and_nobody_else_anything(acl: Acl, members: frozenset[int]) -> None:
    after = give(acl, dict.fromkeys(members, acl.user_obj))
    for uid in members:
        assert rights_of(after, uid, 0, ()) == acl.user_obj
    before, now = settled(acl), settled(after)
    assert (now.user_obj, now.group_obj, now.other, now.groups) == (
        before.user_obj, before.group_obj, before.other, before.groups,
    )  # fmt: skip
    assert {uid: r for uid, r in now.users.items() if uid not in members} == {
        uid: r for uid, r in before.users.items() if uid not in members
    }


@given(acls(), MEMBERS)
def test_libacl_takes_every_list(acl: Acl, members: frozenset[int]) -> None:
    made = posix1e.ACL()
    after = give(acl, dict.fromkeys(members, acl.user_obj))
    kinds: list[tuple[int, int | None]] = [
        (posix1e.ACL_USER_OBJ, None),
        (posix1e.ACL_GROUP_OBJ, None),
        (posix1e.ACL_OTHER, None),
    ]
    kinds += [(posix1e.ACL_USER, uid) for uid in after.users] + [(posix1e.ACL_GROUP, gid) for gid in after.groups]
    kinds += [(posix1e.ACL_MASK, None)] if after.mask is not None else []
    for kind, number in kinds:
        entry = made.append()
        entry.tag_type = kind
        if number is not None:
            entry.qualifier = number
    assert made.valid()


def _plan(before: frozenset[int], giving: frozenset[int], leaving: frozenset[int], staying: frozenset[int]) -> Plan:
    return Plan(OWNER, before, giving, leaving, staying)


NOBODY = frozenset[int]()


@given(acls(), st.none() | acls(), MEMBERS, MEMBERS)
def test_to_and_fro_leaves_no_trace(
    access: Acl, default: Acl | None, first: frozenset[int], second: frozenset[int]
) -> None:
    """Somebody comes, others come, go one after the other."""
    second -= first
    original = Lists(access, default)
    one = shared(original, _plan(NOBODY, first, NOBODY, first), OWNER, is_folder=True)
    both = shared(one, _plan(first, first | second, NOBODY, first | second), OWNER, is_folder=True)
    back = unshared(both, original, _plan(first | second, NOBODY, second, first), OWNER, is_folder=True)
    assert back == one
    assert unshared(back, original, _plan(first, NOBODY, first, NOBODY), OWNER, is_folder=True) == original


@given(PLAIN, MEMBERS)
def test_a_file_without_a_list_needs_no_record(access: Acl, members: frozenset[int]) -> None:
    after = shared(Lists(access), _plan(NOBODY, members, NOBODY, members), OWNER, is_folder=False)
    gone = _plan(members, NOBODY, members, NOBODY)
    assert unshared(after, None, gone, OWNER, is_folder=False) == Lists(access)


@given(acls(), acls(), MEMBERS)
def test_taking_only_away_gives_nobody_anything(acl: Acl, original: Acl, leaving: frozenset[int]) -> None:
    after = settled(taken(acl, leaving, original, only_less=True))
    before = settled(acl)
    assert all(rights & ~before.users.get(uid, 0) == 0 for uid, rights in after.users.items())
    assert after.group_obj & ~before.group_obj == 0
    assert after.groups == before.groups

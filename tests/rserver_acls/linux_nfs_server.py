"""What a Linux NFS server makes of NFSv4 lists: it keeps POSIX lists, so what comes back is not what was set.

A model of the mapping for tests of lists as values; the real server is in tests/rserver_acls/nfs_cases.py.
"""

from collections.abc import Iterable, Mapping

from rserver_acls.acl import Acl
from rserver_acls.rights import masked, settled
from rserver_core.nfs4_list import ALLOW, DENY, EVERYONE, GROUP, INHERIT_ONLY, INHERITED, IS_GROUP, OWNER, Entry
from rserver_core.nfs4_rights import bits_of, number, rights_of

_TO_OWNER = 0x40100
_COUNTED = 0x67
Key = tuple[bool, bytes]
# What holds for somebody of whom nothing was said yet; others are decided on apart from it.
_NEW = b"new"


def to_nfs4(access: Acl, default: Acl | None = None, *, is_folder: bool = False) -> tuple[Entry, ...]:
    """The list that the server shows."""
    shown = _entries(access, 0, is_folder)
    return (*shown, *_entries(default, INHERITED | INHERIT_ONLY, True)) if default else tuple(shown)


def to_posix(entries: Iterable[Entry], *, is_folder: bool = False) -> tuple[Acl, Acl | None]:
    """Access and default list that the server keeps."""
    entries = tuple(entries)
    access = _State(is_folder)
    default = _State(is_folder)
    for entry in entries:
        if not entry.flags & INHERIT_ONLY:
            access.take(entry)
        if entry.flags & INHERITED:
            assert is_folder
            default.take(entry)
    return access.acl(), default.acl() if default.has_any else None


def _entries(acl: Acl, flags: int, is_folder: bool) -> list[Entry]:
    plain = settled(acl)
    of_users = _union(plain.users.values())
    of_groups = plain.group_obj | _union(plain.groups.values()) | plain.other

    def pair(who: bytes, bits: int, denied: int, more: int = 0, extra: int = 0) -> list[Entry]:
        counted = _COUNTED if is_folder else _COUNTED & ~0x40
        no = [Entry(DENY, flags | more, counted & _rights(denied, is_folder), who)] if denied else []
        return [*no, Entry(ALLOW, flags | more, _rights(bits, is_folder) | extra, who)]

    made = pair(OWNER, plain.user_obj, ~plain.user_obj & (of_users | of_groups), 0, _TO_OWNER)
    for uid, bits in sorted(plain.users.items()):
        made += pair(number(uid), bits, ~bits & of_groups)
    groups: Mapping[tuple[bytes, int], int] = {(GROUP, 0): plain.group_obj} | {
        (number(gid), IS_GROUP): bits for gid, bits in sorted(plain.groups.items())
    }
    for (who, more), bits in groups.items():
        made += pair(who, bits, 0, more)
    for (who, more), bits in groups.items():
        made += pair(who, bits, ~bits & plain.other, more)[:-1]
    return made + pair(EVERYONE, plain.other, 0)


def _rights(bits: int, is_folder: bool) -> int:
    return rights_of(bits, is_folder=is_folder) & ~0x100


def _union(many: Iterable[int]) -> int:
    union = 0
    for bits in many:
        union |= bits
    return union


class _State:
    def __init__(self, is_folder: bool) -> None:
        self._is_folder, self.has_any = is_folder, False
        self._allow: dict[Key, int] = dict.fromkeys([(False, who) for who in (OWNER, GROUP, EVERYONE, _NEW)], 0)
        self._deny = dict(self._allow)

    def take(self, entry: Entry) -> None:
        self.has_any = True
        key = bool(entry.flags & IS_GROUP) and entry.who != GROUP, entry.who
        if key not in self._allow:
            self._allow[key], self._deny[key] = self._allow[False, _NEW], self._deny[False, _NEW]
        is_denied = entry.kind == DENY
        if entry.who == EVERYONE:
            for each in self._allow:
                self._decide(each, entry.rights, is_denied)
            return
        self._decide(key, entry.rights, is_denied)
        if is_denied and entry.who != OWNER:
            is_group = key[0] or entry.who == GROUP
            others = [each for each in self._allow if each != (False, EVERYONE)] if is_group else [(False, OWNER)]
            for each in others:
                self._decide(each, self._deny[key], True)

    def acl(self) -> Acl:
        bits = {key: bits_of(rights, is_folder=self._is_folder) for key, rights in self._allow.items()}
        classes = {who: bits.pop((False, who)) for who in (OWNER, GROUP, EVERYONE, _NEW)}
        users = {int(who): found for (is_group, who), found in sorted(bits.items()) if not is_group}
        groups = {int(who): found for (is_group, who), found in sorted(bits.items()) if is_group}
        return masked(Acl(classes[OWNER], classes[GROUP], classes[EVERYONE], None, users, groups))

    def _decide(self, key: Key, rights: int, is_denied: bool) -> None:
        if is_denied:
            self._deny[key] |= rights & ~self._allow[key]
        else:
            self._allow[key] |= rights & ~self._deny[key]

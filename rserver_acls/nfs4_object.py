"""The NFSv4 list of one open object: read, written, and recorded in a manifest with what belongs to it."""

import os
import stat
import struct
from errno import EINVAL
from typing import NamedTuple

from rserver_acls.manifest import Identity as Object
from rserver_acls.manifest import Manifest, Original
from rserver_acls.nfs4_plan import Facts, Lists, of_classes, split
from rserver_acls.nfs4_principals import Principals
from rserver_core.nfs4_list import NAME, Entry, decode, encode

_MODE = struct.Struct("<H")
_OF_GROUP = stat.S_IRWXG
_MOST_BYTES = 60_000
getxattr, setxattr = os.getxattr, os.setxattr


class TooLong(Exception):
    """The list is longer than a record can hold."""


class Recorded(NamedTuple):
    """What an object had before: its list as bytes and as entries, and its mode; None where it was made later."""

    blob: bytes
    lists: Lists
    mode: int | None


class Nfs4Object:
    """An open file or folder. keeps_handed: the server would not let go of what a folder hands down."""

    def __init__(self, fd: int, status: os.stat_result, principals: Principals) -> None:
        """Reads its list; OSError, BadNfs4Acl, TooLong."""
        self.fd, self.status, self._principals = fd, status, principals
        self.blob = getxattr(fd, NAME)
        if len(self.blob) > _MOST_BYTES:
            raise TooLong
        self.lists = split(principals.numbered(decode(self.blob)))
        is_folder = stat.S_ISDIR(status.st_mode)
        self.facts = Facts(status.st_uid, status.st_mode >> 6 & 7, is_folder)
        self.keeps_handed = False

    @property
    def identity(self) -> Object:
        """Lasts: the number of an NFS device changes with each mount, so it says nothing."""
        return Object(0, self.status.st_ino, 0)

    def recorded(self, manifest: Manifest) -> Recorded | None:
        """What was written down of it first."""
        found = manifest.find(self.identity)
        if found is None or found.access is None:
            return None
        mode = _MODE.unpack(found.default)[0] if found.default else None
        return Recorded(found.access, split(self._principals.numbered(decode(found.access))), mode)

    def record(self, manifest: Manifest, lists: Lists) -> None:
        """Write down that it had these lists; its own with its mode."""
        if lists == self.lists:
            manifest.add(self.identity, Original(self.blob, _MODE.pack(stat.S_IMODE(self.status.st_mode))))
        else:
            manifest.add(self.identity, Original(encode(self._spelled(lists)), None))

    def write(self, lists: Lists) -> None:
        """Give it these lists; OSError."""
        try:
            setxattr(self.fd, NAME, encode(self._spelled(lists)))
        except OSError as error:
            if error.errno != EINVAL or not self._principals.respell():
                raise
            setxattr(self.fd, NAME, encode(self._spelled(lists)))
        self._hand_nothing_down(lists)

    def restore(self, recorded: Recorded) -> bool:
        """Make it as it was, to the byte; False when it was so. OSError.

        Where a mask let less or more through than the entries say, the server made a new one of them.
        """
        is_changed = self.lists != recorded.lists
        if is_changed:
            setxattr(self.fd, NAME, recorded.blob)
            self._hand_nothing_down(recorded.lists)
        if recorded.mode is None:
            return is_changed
        mode = stat.S_IMODE(os.fstat(self.fd).st_mode)
        if (mode ^ recorded.mode) & _OF_GROUP:
            os.fchmod(self.fd, mode & ~_OF_GROUP | recorded.mode & _OF_GROUP)
            is_changed = True
        return is_changed

    def _hand_nothing_down(self, lists: Lists) -> None:
        """Linux from 6.0 on ignores it when an NFSv4 list without entries to hand down comes: they stay.

        Then those for the classes are the least that can be left.
        """
        if lists.handed or not self.lists.handed:
            return
        if split(decode(getxattr(self.fd, NAME))).handed:
            self.keeps_handed = True
            setxattr(self.fd, NAME, encode(self._spelled(Lists(lists.access, of_classes(lists.access)))))

    def _spelled(self, lists: Lists) -> tuple[Entry, ...]:
        return self._principals.spelled((*lists.access, *lists.handed))

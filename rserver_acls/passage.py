"""Lets members pass the folders between the owner's home and the project, and no longer than a project needs it."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from rserver_acls import attributes, single_object
from rserver_acls.acl import Acl, decode, encode
from rserver_acls.manifest import Manifest, Original
from rserver_acls.outcome import Outcome
from rserver_acls.rights import given, rights_of, taken
from rserver_acls.way import Folder


class Traveller(NamedTuple):
    """A member with all his groups."""

    uid: int
    gids: frozenset[int]


class Passage(NamedTuple):
    """For one folder: who must be able to pass it from now on, who no longer, and whose entries may be ours."""

    needed: tuple[Traveller, ...]
    gone: tuple[Traveller, ...]
    before: frozenset[int]


def open_passage(folder: Folder, passage: Passage, manifest: Manifest, outcome: Outcome) -> None:
    """Change the list of one folder, recorded before when it is not ours alone."""
    try:
        _change(folder.fd, passage, manifest)
    except OSError as error:
        outcome.fail(folder.path, f"members may not be able to pass it: {error.strerror}")


def _change(fd: int, passage: Passage, manifest: Manifest) -> None:
    status, acl = os.fstat(fd), single_object.read(fd)
    identity = attributes.identity(fd, status)
    record = manifest.find(identity)
    original = decode(record.access) if record and record.access else None
    wanted = _without(acl, original, passage, status.st_gid)
    wanted = _with(wanted, passage.needed, status.st_gid)
    if wanted == acl:
        return
    if record is None and acl.mask is not None and not _is_ours(acl, passage):
        manifest.add(identity, Original(encode(acl), None))
        manifest.flush()
    single_object.write(fd, wanted)


def _is_ours(acl: Acl, passage: Passage) -> bool:
    return bool(acl.users) and not acl.groups and passage.before >= acl.users.keys()


def _with(acl: Acl, travellers: tuple[Traveller, ...], gid: int) -> Acl:
    return given(acl, _lacking(acl, travellers, gid))


def _without(acl: Acl, original: Acl | None, passage: Passage, gid: int) -> Acl:
    if not passage.gone:
        return acl
    if original is not None and acl == _with(original, (*passage.needed, *passage.gone), gid):
        return _with(original, passage.needed, gid)
    return taken(acl, [traveller.uid for traveller in passage.gone], original)


def _lacking(acl: Acl, travellers: tuple[Traveller, ...], gid: int) -> Mapping[int, int]:
    has = {traveller.uid: rights_of(acl, traveller.uid, gid, traveller.gids) for traveller in travellers}
    return {uid: rights | 1 for uid, rights in has.items() if not rights & 1}

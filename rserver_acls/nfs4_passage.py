"""Lets members pass the folders between the owner's home and the project where these lie on an NFSv4 mount."""

import os

from rserver_acls.manifest import Manifest
from rserver_acls.nfs4_object import Nfs4Object, TooLong
from rserver_acls.nfs4_plan import Lists
from rserver_acls.nfs4_principals import Principals
from rserver_acls.outcome import Outcome
from rserver_acls.passage import Passage, Traveller
from rserver_acls.way import Folder
from rserver_core.nfs4_list import EVERYONE, GROUP, IS_GROUP, OWNER, BadNfs4Acl, Entry
from rserver_core.nfs4_rights import Fits, allowed, bits_of, given, is_user, number, of, of_others, without


def open_passage(
    folder: Folder, passage: Passage, manifest: Manifest, outcome: Outcome, principals: Principals
) -> None:
    """Change the list of one folder, recorded before."""
    try:
        _change(Nfs4Object(folder.fd, os.fstat(folder.fd), principals), passage, manifest)
    except (OSError, BadNfs4Acl, TooLong) as error:
        reason = error.strerror if isinstance(error, OSError) else "its access control list cannot be read"
        outcome.fail(folder.path, f"members may not be able to pass it: {reason}")


def _change(thing: Nfs4Object, passage: Passage, manifest: Manifest) -> None:
    gid, access = thing.status.st_gid, thing.lists.access
    recorded = thing.recorded(manifest)
    wanted = _with(_without(access, recorded.lists.access if recorded else None, passage), passage.needed, gid)
    if passage.gone and recorded and wanted == recorded.lists.access and thing.lists.handed == recorded.lists.handed:
        thing.restore(recorded)
        return
    if wanted == access:
        return
    if recorded is None:
        thing.record(manifest, thing.lists._replace(access=without(access, passage.before)))
        manifest.flush()
    thing.write(Lists(wanted, thing.lists.handed))


def _without(access: tuple[Entry, ...], original: tuple[Entry, ...] | None, passage: Passage) -> tuple[Entry, ...]:
    gone = [traveller.uid for traveller in passage.gone]
    if not gone:
        return access
    everybody = passage.before | {traveller.uid for traveller in passage.needed}
    if original is not None and of_others(access, everybody) == of_others(original, everybody):
        return original
    return (*of(original or (), gone), *without(access, gone))


def _with(access: tuple[Entry, ...], travellers: tuple[Traveller, ...], gid: int) -> tuple[Entry, ...]:
    has = {
        traveller.uid: bits_of(allowed(access, _as(traveller, gid)).surely, is_folder=True) for traveller in travellers
    }
    lacking = {uid: bits | 1 for uid, bits in has.items() if not bits & 1}
    return given(access, lacking, is_folder=True) if lacking else access


def _as(traveller: Traveller, gid: int) -> Fits:
    """Somebody whose groups are known, as far as the server spells them by number."""
    groups = {number(known) for known in traveller.gids}

    def fits(entry: Entry) -> bool | None:
        if entry.who == GROUP:
            return gid in traveller.gids
        if entry.flags & IS_GROUP:
            return entry.who in groups or (None if b"@" in entry.who else False)
        return entry.who == EVERYONE or (entry.who != OWNER and is_user(entry, traveller.uid))

    return fits

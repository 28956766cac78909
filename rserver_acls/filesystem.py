"""What kind of lists a file system keeps, and who changes them: the one place that chooses."""

import os
from collections.abc import Callable
from typing import NamedTuple

from rserver_acls import attributes, nfs4_passage, passage
from rserver_acls.changer import Changer
from rserver_acls.manifest import Manifest
from rserver_acls.nfs4_changer import Nfs4Changer
from rserver_acls.nfs4_principals import Principals
from rserver_acls.outcome import Outcome
from rserver_acls.passage import Passage
from rserver_acls.plan import Plan
from rserver_acls.refusal import Refusal
from rserver_acls.way import Folder
from rserver_core.nfs4_list import NAME

POSIX, NFS4 = "posix", "nfs4"
Progress = Callable[[int], None]


class Work(NamedTuple):
    """What every changer needs. since: when the first run that has not ended began, in ns since 1970."""

    plan: Plan
    manifest: Manifest
    outcome: Outcome
    progress: Progress | None
    since: int
    dry: bool


def kind_of(folder: int) -> str:
    """`posix` or `nfs4`; Refusal where the file system of this open folder keeps no lists."""
    if _has_nfs4(folder):
        return NFS4
    if not attributes.is_supported(folder):
        raise Refusal("unsupported", "The file system of the project keeps no access control lists.")
    return POSIX


def posix_changer(work: Work) -> Changer:
    """The visitor that changes POSIX lists."""
    changer = Changer(work.plan, work.manifest, work.outcome, work.progress, dry=work.dry)
    changer.begun_at(work.since)
    return changer


def nfs4_changer(work: Work, principals: Principals) -> Nfs4Changer:
    """The visitor that changes NFSv4 lists, as the owner of what it visits."""
    return Nfs4Changer(work.plan, work.manifest, work.outcome, principals, work.progress, dry=work.dry)


def open_passage(folder: Folder, wanted: Passage, manifest: Manifest, outcome: Outcome, principals: Principals) -> None:
    """Change the list of one folder on the way to the project."""
    if _has_nfs4(folder.fd):
        nfs4_passage.open_passage(folder, wanted, manifest, outcome, principals)
    else:
        passage.open_passage(folder, wanted, manifest, outcome)


def _has_nfs4(fd: int) -> bool:
    return NAME in os.listxattr(fd)

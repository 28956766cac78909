"""One run as everybody in turn whose files there are: an NFS server lets nobody else change their lists."""

import os
import pwd
from collections.abc import Callable
from typing import Any

from rserver_acls.child import Child
from rserver_acls.errand import Errand
from rserver_acls.outcome import MOST_NAMED
from rserver_acls.people import groups_of
from rserver_acls.refusal import Refusal
from rserver_acls.walls import Identity

Fds = tuple[int, int]
_NO_GROUP = 65534


def carry_out(errand: Errand, fds: Fds, begin: Callable[[], None]) -> dict[str, Any]:
    """The fields of the answer; Refusal. begin() is called once, when the first process stands ready.

    fds: the manifests of the project and of the way to it; they are closed.
    """
    try:
        if not errand.is_remote:
            return _child(errand, fds, begin)
        return _as_owner_and_members(errand, fds, begin)
    finally:
        for fd in fds:
            os.close(fd)


def _as_owner_and_members(errand: Errand, fds: Fds, begin: Callable[[], None]) -> dict[str, Any]:
    if not errand.plan.leaving or os.geteuid() != 0:
        whole = _child(errand, fds, begin)
        _as_members(errand, fds, whole)
        return whole
    # As long as the members can still reach what is theirs.
    census = _child(errand._replace(is_census=True), fds, begin)
    of_members = {
        **census,
        "changed": 0,
        "unchanged": 0,
        "skipped": [],
        "skipped_total": 0,
        "unfinished": False,
        "notes": [],
    }
    _as_members(errand, fds, of_members)
    whole = _child(errand, fds, _nothing)
    _add(whole, of_members)
    return whole


def _as_members(errand: Errand, fds: Fds, whole: dict[str, Any]) -> None:
    for uid in whole.pop("others"):
        name = errand.names.get(uid, str(uid))
        if os.geteuid() != 0:
            reason = f"the files of {name} can be changed by nobody else on NFS, except by the server's administrator"
            _left_alone(whole, reason)
            continue
        theirs = errand._replace(identity=_identity(uid, errand.names), passages={}, shows_progress=False)
        try:
            _add(whole, _child(theirs, fds, _nothing))
        except Refusal as refusal:
            _left_alone(whole, f"the files of {name} were not changed: {refusal}")


def _child(errand: Errand, fds: Fds, begin: Callable[[], None]) -> dict[str, Any]:
    child = Child(errand, (os.dup(fds[0]), os.dup(fds[1])))
    child.wait_until_ready()
    begin()
    return child.result()


def _identity(uid: int, names: dict[int, str]) -> Identity:
    try:
        gid = pwd.getpwuid(uid).pw_gid
    except KeyError:
        return Identity(uid, _NO_GROUP, (), ())
    return Identity(uid, gid, groups_of(names.get(uid, "")), ())


def _add(whole: dict[str, Any], part: dict[str, Any]) -> None:
    for count in ("changed", "unchanged", "skipped_total"):
        whole[count] += part[count]
    whole["unfinished"] |= part["unfinished"]
    whole["notes"] = list(dict.fromkeys([*whole["notes"], *part["notes"]]))
    whole["skipped"] = [*whole["skipped"], *part["skipped"]][:MOST_NAMED]


def _left_alone(whole: dict[str, Any], reason: str) -> None:
    whole["skipped_total"] += 1
    whole["unfinished"] = True
    whole["skipped"] = [*whole["skipped"], {"path": ".", "reason": reason}][:MOST_NAMED]


def _nothing() -> None:
    """The run is under way already."""

"""One run as everybody in turn whose files there are: an NFS server lets nobody else change their lists."""

import functools
import math
import os
import pwd
import time
from collections.abc import Callable
from typing import Any

from rserver_acls.child import Child
from rserver_acls.errand import Errand
from rserver_acls.outcome import MOST_NAMED
from rserver_acls.people import groups_of
from rserver_acls.refusal import Refusal
from rserver_acls.walls import Identity

Fds = tuple[int, int]
# Nobody stays in by having so many files that the others are never reached.
_MEMBERS_SECONDS = 120.0
_NO_GROUP = 65534


def carry_out(errand: Errand, fds: Fds, begin: Callable[[], None]) -> dict[str, Any]:
    """The fields of the answer; Refusal. begin() is called once, when the first process stands ready.

    fds: the manifests of the project and of the way to it; they are closed.
    """
    try:
        if not errand.is_remote:
            return _child(errand, fds, begin)
        return _as_owner_and_members(errand, fds, functools.cache(begin))
    finally:
        for fd in fds:
            os.close(fd)


def _as_owner_and_members(errand: Errand, fds: Fds, begin: Callable[[], None]) -> dict[str, Any]:
    if not errand.plan.leaving or os.geteuid() != 0:
        whole = _child(errand, fds, begin)
        _as_members(errand, fds, whole, math.inf)
        return whole
    # As long as the members can still reach what is theirs.
    end = time.monotonic() + _MEMBERS_SECONDS
    counts = {"changed": 0, "unchanged": 0, "skipped_total": 0}
    of_members: dict[str, Any] = {**counts, "skipped": [], "unfinished": False, "others": []}
    try:
        of_members["others"] = _child(errand._replace(is_census=True), fds, begin, end)["others"]
    except Refusal as refusal:
        if time.monotonic() < end:
            raise
        _left_alone(of_members, f"files of members were not looked for: {refusal}")
    _as_members(errand, fds, of_members, end)
    whole = _child(errand, fds, begin)
    _add(whole, of_members)
    return whole


def _as_members(errand: Errand, fds: Fds, whole: dict[str, Any], end: float) -> None:
    # Who stays closes the folders that he made to who leaves; who left earlier cannot get at his any more.
    others = set(whole.pop("others")) - errand.plan.past
    for uid in sorted(others, key=lambda other: other not in errand.plan.leaving):
        name = errand.names.get(uid, str(uid))
        if os.geteuid() != 0:
            reason = f"the files of {name} can be changed by nobody else on NFS, except by the server's administrator"
            _left_alone(whole, reason)
            continue
        who = _identity(uid, errand.names, errand.identity.real)
        try:
            _add(whole, _child(errand._replace(identity=who, passages={}, shows_progress=False), fds, _nothing, end))
        except Refusal as refusal:
            _left_alone(whole, f"the files of {name} were not changed: {refusal}")


def _child(errand: Errand, fds: Fds, begin: Callable[[], None], end: float = math.inf) -> dict[str, Any]:
    child = Child(errand, (os.dup(fds[0]), os.dup(fds[1])), end)
    child.wait_until_ready()
    begin()
    return child.result()


def _identity(uid: int, names: dict[int, str], real: int) -> Identity:
    try:
        gid = pwd.getpwuid(uid).pw_gid
    except KeyError:
        return Identity(uid, _NO_GROUP, (), (), real)
    return Identity(uid, gid, groups_of(names.get(uid, "")), (), real)


def _add(whole: dict[str, Any], part: dict[str, Any]) -> None:
    again = [entry for entry in part["skipped"] if entry in whole["skipped"]]
    whole["changed"] += part["changed"]
    whole["unchanged"] += part["unchanged"]
    whole["skipped_total"] += part["skipped_total"] - len(again)
    whole["unfinished"] |= part["unfinished"]
    whole["skipped"] = [*whole["skipped"], *(entry for entry in part["skipped"] if entry not in again)][:MOST_NAMED]


def _left_alone(whole: dict[str, Any], reason: str) -> None:
    whole["skipped_total"] += 1
    whole["unfinished"] = True
    whole["skipped"] = [*whole["skipped"], {"path": ".", "reason": reason}][:MOST_NAMED]


def _nothing() -> None:
    """The run is under way already."""

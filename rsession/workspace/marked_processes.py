"""Processes of this session that left R's process session, as `setsid` does: by kernel group, or by environment."""

import os
import re

from rserver_core.cgroup_paths import UNIFIED, group_path, mounts
from rsession import _shim

_GROUP = re.compile(r"rserver-[0-9a-f]{21}-[0-9]+", re.ASCII)
_HIERARCHIES = ("pids", "freezer", UNIFIED)
_MOST_BYTES = 1 << 20


def group_members() -> set[int]:
    """Process ids in the control group that the server made for this session; none without such a group."""
    hierarchies, own = mounts(_text("/proc/self/mountinfo")), _text("/proc/self/cgroup")
    for controller in _HIERARCHIES:
        path = group_path(controller, hierarchies, own)
        if path is not None and _GROUP.fullmatch(os.path.basename(path)):
            return {int(pid) for folder, _, _ in os.walk(path) for pid in _text(f"{folder}/cgroup.procs").split()}
    return set()


class Environment:
    """What R's children have in theirs and nobody else: the name of its temporary folder."""

    def __init__(self) -> None:
        folder = _shim.temporary_folder()
        self._mark = f"\0R_SESSION_TMPDIR={folder}\0" if folder else ""
        self._uid = os.getuid()

    def is_of(self, pid: int) -> bool:
        """Whether that process, or who started it, was started by this R."""
        try:
            is_candidate = self._mark and os.stat(f"/proc/{pid}").st_uid == self._uid
        except OSError:
            return False
        return bool(is_candidate) and self._mark in f"\0{_text(f'/proc/{pid}/environ')}\0"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""

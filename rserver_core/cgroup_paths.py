"""Where in the file system the control groups of a process are, from what /proc says of it. Pure."""

from typing import NamedTuple

UNIFIED = ""
"""Stands for the hierarchy of version 2."""


class Mount(NamedTuple):
    """A hierarchy: where it is mounted, which of its groups is there, what it controls (UNIFIED: version 2)."""

    point: str
    root: str
    controllers: tuple[str, ...]


def mounts(mountinfo: str) -> tuple[Mount, ...]:
    """The hierarchies of /proc/PID/mountinfo."""
    return tuple(mount for line in mountinfo.splitlines() if (mount := _mount(line)))


def group_path(controller: str, hierarchies: tuple[Mount, ...], cgroup: str) -> str | None:
    """Directory of the group in which the process of this /proc/PID/cgroup is; None: no such hierarchy is mounted."""
    own = _own(controller, cgroup)
    for mount in hierarchies:
        if controller in mount.controllers and own is not None:
            # In a container the hierarchy's root may be hidden: what is mounted is a group below it.
            inside = own.removeprefix(mount.root.rstrip("/")) if own.startswith(mount.root) else own
            return mount.point + inside.rstrip("/")
    return None


def _mount(line: str) -> Mount | None:
    head, _, tail = line.partition(" - ")
    fields, kind = head.split(" "), tail.split(" ")
    if len(fields) < 5 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
        return None
    controllers = (UNIFIED,) if kind[0] == "cgroup2" else tuple(filter(None, kind[2].split(",")))
    return Mount(fields[4], fields[3], controllers)


def _own(controller: str, cgroup: str) -> str | None:
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == controller or (controller and controller in controllers.split(",")):
            return path
    return None

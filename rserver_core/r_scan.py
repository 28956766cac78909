"""Where R is looked for: on the PATH and in the places where it is usually installed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from rserver_core.r_installation import NoR, RInstallation, read_home, read_installation

_MOST_CHILDREN = 200


@dataclass(frozen=True, slots=True)
class UsualPlaces:
    """homes: of one R each; parents: folders of which every subfolder may hold an R."""

    homes: tuple[str, ...] = (
        "/usr/lib/R",
        "/usr/lib64/R",
        "/usr/local/lib/R",
        "/usr/local/lib64/R",
        "/opt/local/lib/R",
        "/opt/local/lib64/R",
    )
    parents: tuple[str, ...] = ("/opt/R", "/opt/local/R")


USUAL = UsualPlaces()


def find_installation(which_r: str = "", path: str = "", places: UsualPlaces = USUAL) -> RInstallation:
    """which_r (option rsession-which-r) and nothing else when set, otherwise the first on the PATH, else the newest of
    the usual places; NoR.
    """
    if which_r:
        return read_installation(which_r)
    faults: list[str] = []
    for installation in on_path(path, faults):
        return installation
    found = in_usual_places(places, faults)
    if not found:
        raise NoR("; ".join(dict.fromkeys(faults)) or "no R on the PATH and in the usual places")
    return max(found, key=lambda installation: version_key(installation.version))


def on_path(path: str, faults: list[str]) -> Iterator[RInstallation]:
    """The R that can be embedded, in the order of the PATH; what is wrong with the others goes to faults."""
    for directory in filter(None, path.split(os.pathsep)):
        script = f"{directory}/R"
        if os.path.isfile(script) and os.access(script, os.X_OK):
            try:
                yield read_installation(script)
            except NoR as error:
                faults.append(str(error))


def in_usual_places(places: UsualPlaces, faults: list[str]) -> list[RInstallation]:
    """The R that can be embedded; what is wrong with the others goes to faults."""
    found = []
    for home in (*places.homes, *(child for parent in places.parents for child in _children(parent))):
        if os.path.isdir(home):
            try:
                found.append(read_home(home))
            except NoR as error:
                faults.append(str(error))
    return found


def version_key(version: str) -> tuple[int, ...]:
    """Versions in the order in which they appeared; what is no version comes first."""
    parts = version.replace("-", ".").split(".")
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10)


def _children(parent: str) -> list[str]:
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_CHILDREN), strict=False)]
    except OSError:
        return []
    return [f"{parent}/{name}" for name in sorted(names) if not name.startswith(".")]

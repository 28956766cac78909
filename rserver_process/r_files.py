"""The files of an R that a template of sessions is made of: who can change them, and whether somebody did."""

import os
import stat
from collections.abc import Iterator

from rserver_core.r_installation import RInstallation

PACKAGES = ("base", "methods", "compiler", "utils", "grDevices", "graphics", "stats", "datasets")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

Stamp = tuple[tuple[int, int, int], ...]


def untrusted(installation: RInstallation) -> str | None:
    """The first file or directory of this R, or above it, that somebody else than root or ourselves can change."""
    return changeable(*_files(installation.home), *_loader_directories(installation))


def changeable(*paths: str) -> str | None:
    """The first of these paths, or of what they lie in, that somebody else than root or ourselves can change."""
    owners = {0, os.geteuid()}
    seen: set[str] = set()
    for path in paths:
        for step in _steps(os.path.realpath(path)):
            if step not in seen and not _is_kept_by(owners, step):
                return step
            seen.add(step)
    return None


def stamp(installation: RInstallation) -> Stamp:
    """Equal as long as nothing of this R was replaced."""
    return tuple(_state(path) for path in _marks(installation.home))


def _files(home: str) -> Iterator[str]:
    yield f"{home}/lib/libR.so"
    for folder in (
        f"{home}/etc",
        *(f"{home}/library/{package}/{kind}" for package in PACKAGES for kind in ("R", "libs")),
    ):
        if os.path.isdir(folder):
            yield from (entry.path for entry in os.scandir(folder))


def _marks(home: str) -> Iterator[str]:
    yield f"{home}/lib/libR.so"
    for name in ("Renviron", "Renviron.site"):
        yield f"{home}/etc/{name}"
    for package in PACKAGES:
        yield f"{home}/library/{package}/DESCRIPTION"
        yield f"{home}/library/{package}/R"


def _loader_directories(installation: RInstallation) -> list[str]:
    return [path for path in installation.environment()["LD_LIBRARY_PATH"].split(":") if path]


def _steps(path: str) -> Iterator[str]:
    """The path and what it lies in, up to /; what does not exist is left out."""
    while True:
        if os.path.lexists(path):
            yield path
        if path == "/":
            return
        path = os.path.dirname(path)


def _is_kept_by(owners: set[int], path: str) -> bool:
    found = os.lstat(path)
    return found.st_uid in owners and not (found.st_mode & _OTHERS_MAY_WRITE and not stat.S_ISLNK(found.st_mode))


def _state(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)

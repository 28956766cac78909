"""Which R there is and the environment its sessions need, read from its files: R itself is never run.

What R's start script sets before it runs the binary is written in that script and in etc/ldpaths; a session embeds R
as a library and has to set the same.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rserver_core.shell_assignments import assignments

_MAX_FILE = 1 << 18
_DIRECTORIES = ("R_SHARE_DIR", "R_INCLUDE_DIR", "R_DOC_DIR")
_HOMES = ("/usr/lib/R", "/usr/local/lib/R")
_MANY_HOMES = "/opt/R"
_SET = re.compile(r"^(R_HOME_DIR|R_SHARE_DIR|R_INCLUDE_DIR|R_DOC_DIR)=[\"']?([^\"'\n$`]+)[\"']?\s*$", re.MULTILINE)
_VERSION = re.compile(r"^Version:\s*(\S{1,40})\s*$", re.MULTILINE)


class NoR(Exception):
    """No R that can be embedded; the text says what was looked at and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RInstallation:
    """One R: start script, home, version, and the variables its script sets."""

    script: str
    home: str
    version: str
    variables: tuple[tuple[str, str], ...]

    def environment(self) -> dict[str, str]:
        """Variables for a session."""
        return dict(self.variables)


def find_installation(which_r: str = "", path: str = "", homes: tuple[str, ...] = _HOMES) -> RInstallation:
    """which_r (option rsession-which-r) and nothing else when set, otherwise the first good R of `candidates`; NoR."""
    if which_r:
        return read_installation(which_r)
    faults = []
    for script in candidates(path, homes):
        try:
            return read_installation(script)
        except NoR as error:
            faults.append(str(error))
    raise NoR("; ".join(dict.fromkeys(faults)) or "no R on the PATH and in the usual places")


def every_installation(which_r: str = "", path: str = "", homes: tuple[str, ...] = _HOMES) -> list[RInstallation]:
    """One good R of each version, what `find_installation` finds first; with which_r that one alone."""
    found: dict[str, RInstallation] = {}
    for script in (which_r,) if which_r else candidates(path, homes):
        try:
            installation = read_installation(script)
        except NoR:
            continue
        found.setdefault(installation.version, installation)
    return list(found.values())


def candidates(path: str, homes: tuple[str, ...] = _HOMES) -> Iterator[str]:
    """Start scripts that exist: on the PATH, in R's usual homes, below /opt/R (newest version first)."""
    for directory in filter(None, path.split(os.pathsep)):
        yield from _existing(f"{directory}/R")
    for home in homes:
        yield from _existing(f"{home}/bin/R")
    for home in _versions(_MANY_HOMES):
        yield from _existing(f"{home}/bin/R")


def read_installation(script: str) -> RInstallation:
    """The R that script starts; NoR when it is none that can be embedded."""
    found = dict(_SET.findall(_text(script)))
    home = found.get("R_HOME_DIR", "")
    if not home:
        raise NoR(f"{script} is no start script of R")
    if not os.path.exists(f"{home}/lib/libR.so"):
        raise NoR(f"the R in {home} has no lib/libR.so: it was built without --enable-R-shlib")
    description = _text(f"{home}/library/base/DESCRIPTION")
    version = _VERSION.search(description)
    if version is None:
        raise NoR(f"the R in {home} has no version in library/base/DESCRIPTION")
    return RInstallation(script, home, version[1], tuple(_variables(home, found).items()))


def _variables(home: str, found: dict[str, str]) -> dict[str, str]:
    directories = {name: found.get(name) or f"{home}/{name[2:-4].lower()}" for name in _DIRECTORIES}
    return {"R_HOME": home, **directories, "LD_LIBRARY_PATH": _library_path(home)}


def _library_path(home: str) -> str:
    try:
        set_there = assignments(_text(f"{home}/etc/ldpaths"), {"R_HOME": home})
    except NoR:
        set_there = {}
    return set_there.get("LD_LIBRARY_PATH") or set_there.get("R_LD_LIBRARY_PATH") or f"{home}/lib"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise NoR(f"{path} cannot be read: {error.strerror}") from None


def _existing(script: str) -> Iterator[str]:
    if os.path.isfile(script) and os.access(script, os.X_OK):
        yield script


def _versions(directory: str) -> list[str]:
    try:
        names = [name for name in os.listdir(directory) if name[:1].isdigit()]
    except OSError:
        return []
    numbers = {name: [int(part) for part in re.findall(r"\d+", name)] for name in names}
    return [f"{directory}/{name}" for name in sorted(names, key=numbers.__getitem__, reverse=True)]

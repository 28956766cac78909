"""One R and the environment its sessions need, read from its files: R itself is never run.

What R's start script sets before it runs the binary is written in that script and in etc/ldpaths; a session embeds R
as a library and has to set the same.
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from rserver_core.shell_assignments import assignments

_MAX_FILE = 1 << 18
_DIRECTORIES = ("R_SHARE_DIR", "R_INCLUDE_DIR", "R_DOC_DIR")
_BELOW_PREFIX = ("", "/lib/R", "/lib64/R")
_SET = re.compile(r"^(R_HOME_DIR|R_SHARE_DIR|R_INCLUDE_DIR|R_DOC_DIR)=[\"']?([^\"'\n$`]+)[\"']?\s*$", re.MULTILINE)
_ARCH = re.compile(r"^: \$\{R_ARCH=(/[A-Za-z0-9_.-]{1,40})\}\s*$", re.MULTILINE)
_SITE_LIBRARIES = r"^R_LIBS_SITE=(?:\$\{R_LIBS_SITE:?-)?(.*)$"
_VERSION = re.compile(r"^Version:\s*(\S{1,40})\s*$", re.MULTILINE)


class NoR(Exception):
    """No R that can be embedded; the text says what was looked at and what is wrong with it."""


class RInstallation(NamedTuple):
    """One R: start script, home, version, and the variables its script sets."""

    script: str
    home: str
    version: str
    variables: tuple[tuple[str, str], ...]

    def environment(self) -> dict[str, str]:
        """Variables for a session."""
        return dict(self.variables)

    @property
    def library(self) -> str:
        """Path of libR.so."""
        return library_of(self.home, self.environment())


def site_libraries(home: str) -> str:
    """The site libraries of the R in that home, with colons between them, as its own Renviron says; %S as in R."""
    try:
        text = _text(f"{home}/etc{_arch(_text(f'{home}/bin/R'))}/Renviron")
    except NoR:
        text = ""
    match = re.search(_SITE_LIBRARIES, text, re.MULTILINE)
    if match is None:
        return f"{home}/site-library"
    return match[1].replace("${R_HOME}", home).strip("'\"}")


def library_of(home: str, environ: Mapping[str, str]) -> str:
    """Path of libR.so of the R in home; R_ARCH in environ is empty but for an R built for several processors."""
    return f"{home}/lib{environ.get('R_ARCH', '')}/libR.so"


def read_installation(script: str) -> RInstallation:
    """The R that script starts; NoR when it is none that can be embedded."""
    text = _text(script)
    named = dict(_SET.findall(text)).get("R_HOME_DIR", "")
    if not named:
        raise NoR(f"{script} is no start script of R")
    beside = os.path.dirname(os.path.dirname(os.path.realpath(script)))
    # In a copy that was moved the script still names the place that it was built for.
    home = beside if not _is_home(named, text) and _is_home(beside, text) else named
    return _read(script, text, home)


def read_home(path: str) -> RInstallation:
    """The R whose home is path, or below path as `make install` lays it out; NoR when there is none to embed."""
    for home in (path + below for below in _BELOW_PREFIX):
        if os.path.isdir(f"{home}/library/base"):
            return _read(f"{home}/bin/R", _text(f"{home}/bin/R"), home)
    if not os.path.isdir(path):
        raise NoR(f"there is no folder {path}")
    raise NoR(f"there is no R in {path}: it has no library/base, nor have lib/R and lib64/R in it")


def _read(script: str, text: str, home: str) -> RInstallation:
    if not _is_home(home, text):
        raise NoR(f"the R in {home} has no lib{_arch(text)}/libR.so: it was built without --enable-R-shlib")
    version = _VERSION.search(_text(f"{home}/library/base/DESCRIPTION"))
    if version is None:
        raise NoR(f"the R in {home} has no version in library/base/DESCRIPTION")
    return RInstallation(script, home, version[1], tuple(_variables(home, text).items()))


def _is_home(home: str, text: str) -> bool:
    return os.path.exists(f"{home}/lib{_arch(text)}/libR.so")


def _arch(text: str) -> str:
    match = _ARCH.search(text)
    return match[1] if match else ""


def _variables(home: str, text: str) -> dict[str, str]:
    found, arch = dict(_SET.findall(text)), _arch(text)
    directories = {name: _directory(name, home, found) for name in _DIRECTORIES}
    several = {"R_ARCH": arch} if arch else {}
    return {"R_HOME": home, **directories, **several, "LD_LIBRARY_PATH": _library_path(home, arch)}


def _directory(name: str, home: str, found: Mapping[str, str]) -> str:
    """As the script sets it; in a copy that was moved, at the same place of the new home."""
    below, named, built_for = f"{home}/{name[2:-4].lower()}", found.get(name), found.get("R_HOME_DIR", home)
    if named is None:
        return below
    if _is_same(built_for, home):
        return named
    if named.startswith(f"{built_for}/"):
        return home + named.removeprefix(built_for)
    return below if os.path.isdir(below) else named


def _is_same(path: str, other: str) -> bool:
    try:
        return path == other or os.path.samefile(path, other)
    except OSError:
        return False


def _library_path(home: str, arch: str) -> str:
    try:
        set_there = assignments(_text(f"{home}/etc{arch}/ldpaths"), {"R_HOME": home, "R_ARCH": arch})
    except NoR:
        set_there = {}
    return set_there.get("LD_LIBRARY_PATH") or set_there.get("R_LD_LIBRARY_PATH") or f"{home}/lib{arch}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise NoR(f"{path} cannot be read: {error.strerror}") from None

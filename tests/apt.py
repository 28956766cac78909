"""Packages of a Debian release by apt, into a folder of one's own: the machine's own package lists stay as they are."""

import getpass
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_ENTRY = """\
Types: {types}
URIs: {mirror}
Suites: {suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_SECONDS = 300.0


class SourceUnavailableError(Exception):
    """A package could not be had; the message says why."""


def cache_directory() -> Path:
    """Where downloads are kept between runs: RSERVER_TEST_CACHE, or below the user's cache folder."""
    named = os.environ.get("RSERVER_TEST_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rserver-tests"


def download(work: Path, suite: str, types: str, command: Sequence[str]) -> None:
    """Run `apt-get COMMAND` in work, with the lists of that release only; SourceUnavailableError.

    types: `deb`, `deb-src` or both.
    """
    options = _options(work, suite, types)
    try:
        run(["apt-get", *options, "update", "-qq"], work)
        run(["apt-get", *options, *command], work)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{' '.join(command)} of Debian {suite} could not be downloaded: {error}"
        raise SourceUnavailableError(message) from error


def run(command: Sequence[str], directory: Path, seconds: float = _SECONDS) -> None:
    """Run to its end; OSError or subprocess.SubprocessError."""
    subprocess.run(command, check=True, cwd=directory, capture_output=True, timeout=seconds)


def suite_of_machine() -> str:
    """The Debian release that this machine runs."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME":
            return value.strip('"')
    return "stable"


def _mirror() -> str:
    """Where this machine gets the packages of its own release from; the other releases are there, too."""
    query = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    suite = suite_of_machine()
    try:
        listing = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"apt does not tell its sources: {error}"
        raise SourceUnavailableError(message) from error
    for line in listing.splitlines():
        codename, _, address = line.partition(" ")
        if codename == suite:
            return address
    message = f"apt has no source of Debian {suite}"
    raise SourceUnavailableError(message)


def _options(work: Path, suite: str, types: str) -> list[str]:
    (work / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    entry = work / "source.sources"
    entry.write_text(_ENTRY.format(types=types, mirror=_mirror(), suite=suite), encoding="utf-8")
    # apt's sandbox user cannot write below a private cache folder; the caller's own rights are enough.
    pairs = {
        "Dir::Etc::sourcelist": entry,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work,
        "APT::Sandbox::User": getpass.getuser(),
        "APT::Get::List-Cleanup": 0,
    }
    return [part for name, value in pairs.items() for part in ("-o", f"{name}={value}")]

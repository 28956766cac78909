"""R's own regression inputs, from the source package of the Debian release that this R came from."""

import getpass
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_APT_SOURCE = """\
Types: deb-src
URIs: {mirror}
Suites: {suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_SECONDS = 300.0


class SourceUnavailableError(Exception):
    """The source package could not be had; the message says why."""


def cache_directory() -> Path:
    """Where downloads are kept between runs: RSERVER_TEST_CACHE, or below the user's cache folder."""
    named = os.environ.get("RSERVER_TEST_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rserver-tests"


def r_tests_directory() -> Path:
    """The folder `tests/` of the installed R's source, downloaded once.

    :raises SourceUnavailableError: no network, no apt, or another R than Debian's.
    """
    version = _package_version()
    directory = cache_directory() / f"r-{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    if not (directory / "tests").is_dir():
        _unpack(_download(directory, version), directory)
    return directory / "tests"


def _package_version() -> str:
    query = ["dpkg-query", "-W", "-f", "${source:Version}", "r-base-core"]
    try:
        return subprocess.run(query, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        message = "R is not from a Debian package"
        raise SourceUnavailableError(message) from error


def _download(directory: Path, version: str) -> Path:
    work = directory / "download"
    (work / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    options = _apt_options(work)
    try:
        _run(["apt-get", *options, "update", "-qq"], work)
        _run(["apt-get", *options, "source", "-qq", "--download-only", f"r-base={version}"], work)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"the source package r-base {version} could not be downloaded: {error}"
        raise SourceUnavailableError(message) from error
    return next(work.glob("r-base_*.orig.tar.*"))


def _mirror(suite: str) -> str:
    """Where this machine gets the packages of a Debian release from."""
    query = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
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


def _apt_options(work: Path) -> list[str]:
    entry = work / "source.sources"
    entry.write_text(_APT_SOURCE.format(mirror=_mirror(_suite()), suite=_suite()), encoding="utf-8")
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


def _suite() -> str:
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME":
            return value.strip('"')
    return "stable"


def _run(command: list[str], directory: Path) -> None:
    subprocess.run(command, check=True, cwd=directory, capture_output=True, timeout=_SECONDS)


def _unpack(archive: Path, directory: Path) -> None:
    aside = directory / "unpacking"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    _run(["tar", "--extract", "--file", str(archive), "--strip-components=1", "--wildcards", "*/tests"], aside)
    (aside / "tests").rename(directory / "tests")
    shutil.rmtree(aside)
    shutil.rmtree(directory / "download")

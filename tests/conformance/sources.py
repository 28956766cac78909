"""R's own regression inputs, from the source package of the Debian release that this R came from."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.apt import SourceUnavailableError, cache_directory, download, run, suite_of_machine

__all__ = ["SourceUnavailableError", "cache_directory", "r_tests_directory"]


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
    command = ["source", "-qq", "--download-only", f"r-base={version}"]
    download(work, suite_of_machine(), "deb-src", command)
    return next(work.glob("r-base_*.orig.tar.*"))


def _unpack(archive: Path, directory: Path) -> None:
    aside = directory / "unpacking"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    run(["tar", "--extract", "--file", str(archive), "--strip-components=1", "--wildcards", "*/tests"], aside)
    (aside / "tests").rename(directory / "tests")
    shutil.rmtree(aside)
    shutil.rmtree(directory / "download")

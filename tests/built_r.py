"""A third real R, newer than this machine's: built from the source package of Debian 13 at a prefix of its own.

Without recommended packages, X11, Tcl and Java it takes some minutes, once: it is kept between runs.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.apt import SourceUnavailableError, cache_directory, download, run, suite_of_machine

_SUITE = "trixie"
_SECONDS = 3600.0
_HEADERS = ("libcurl4-openssl-dev", "libpcre2-dev")
_LIBRARIES = {"libcurl.so": "libcurl.so.4", "libpcre2-8.so": "libpcre2-8.so.0"}
_LEFT_OUT = (
    "--without-recommended-packages --without-x --without-tcltk --disable-java --disable-nls --without-cairo "
    "--without-jpeglib --without-libtiff --without-libpng --disable-byte-compiled-packages"
)


def built_r() -> Path:
    """Its prefix, which every account can read; SourceUnavailableError."""
    parent = cache_directory() if os.geteuid() else Path("/var/cache/rserver-tests")
    prefix = parent / "R" / f"built-{_SUITE}"
    if not prefix.is_dir():
        _build(prefix)
    return prefix


def _build(prefix: Path) -> None:
    if shutil.which("gfortran") is None:
        raise SourceUnavailableError("R is not built: there is no gfortran")
    work = cache_directory() / f"build.{os.getpid()}"
    source = work / "source"
    source.mkdir(parents=True)
    try:
        download(work, suite_of_machine(), "deb", ["download", "-qq", *_HEADERS])
        for package in work.glob("*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(work / "dev")], work)
        download(work, _SUITE, "deb-src", ["source", "-qq", "--download-only", "r-base"])
        archive = next(work.glob("r-base_*.orig.tar.*"))
        run(["tar", "--extract", "--file", str(archive), "--strip-components=1"], source)
        _make(source, work, prefix)
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceUnavailableError(f"R is not built: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make(source: Path, work: Path, prefix: Path) -> None:
    env = _environment(work / "dev" / "usr")
    for command in (
        ["./configure", f"--prefix={prefix}", "--enable-R-shlib", *_LEFT_OUT.split()],
        ["make", "-j1"],
        ["make", "install", f"DESTDIR={work}/made"],
    ):
        argv = ["nice", "-n", "19", *command]
        subprocess.run(argv, check=True, cwd=source, env=env, capture_output=True, timeout=_SECONDS)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(f"{work}/made{prefix}", prefix)


def _environment(dev: Path) -> dict[str, str]:
    """Headers of our own, libraries of the machine; by variables of gcc, which leave no trace in what is built."""
    libraries = dev / "lib" / "x86_64-linux-gnu"
    for name, target in _LIBRARIES.items():
        (libraries / name).unlink(missing_ok=True)
        (libraries / name).symlink_to(f"/usr/lib/x86_64-linux-gnu/{target}")
    flags = dict.fromkeys(("CFLAGS", "FFLAGS", "FCFLAGS", "CXXFLAGS"), "-O1")
    return {
        **os.environ,
        **flags,
        "CPATH": f"{dev}/include:{dev}/include/x86_64-linux-gnu",
        "LIBRARY_PATH": str(libraries),
        "PATH": f"{dev}/bin:{os.environ['PATH']}",
    }

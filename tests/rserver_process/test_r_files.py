"""Which R root may load, and when it is another."""

from pathlib import Path

import pytest

from rserver_core.r_installation import RInstallation
from rserver_process import r_files


def _r(home: Path, loader: str = "") -> RInstallation:
    for name in ("lib/libR.so", "etc/Renviron", "library/base/R/base.rdx", "library/base/DESCRIPTION"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return RInstallation(str(home / "bin/R"), str(home), "4.2.2", (("LD_LIBRARY_PATH", loader or f"{home}/lib"),))


@pytest.mark.r
def test_the_r_of_the_system_is_kept_by_root() -> None:
    assert r_files.changeable("/usr/lib/R/lib/libR.so") is None


def test_what_others_can_write_is_named(tmp_path: Path) -> None:
    installation = _r(tmp_path / "R")
    (tmp_path / "R" / "lib" / "libR.so").chmod(0o664)
    assert r_files.untrusted(installation) == str(tmp_path / "R" / "lib" / "libR.so")


def test_what_lies_in_a_directory_of_others_is_not_trusted(tmp_path: Path) -> None:
    # /tmp itself is everybody's.
    assert r_files.untrusted(_r(tmp_path / "R")) == "/tmp"


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/var/tmp")
    assert r_files.changeable(str(tmp_path / "link" / "x")) == "/var/tmp"


def test_a_replaced_file_shows(tmp_path: Path) -> None:
    installation = _r(tmp_path / "R")
    before = r_files.stamp(installation)
    assert r_files.stamp(installation) == before
    library = tmp_path / "R" / "lib" / "libR.so"
    library.unlink()
    library.write_text("2")
    assert r_files.stamp(installation) != before

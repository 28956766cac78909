import subprocess
from pathlib import Path

import pytest

from rserver_core.r_installation import NoR, read_home, read_installation
from rserver_core.r_scan import UsualPlaces, find_installation

NOWHERE = UsualPlaces((), ())


def make_r(home: Path, version: str = "4.4.1", ldpaths: str = "", arch: str = "") -> Path:
    """The files of an R that was built from source; its start script."""
    for folder in ("bin", f"etc{arch}", f"lib{arch}", "library/base"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    script = home / "bin" / "R"
    lines = ["#!/bin/sh", f"R_HOME_DIR={home}", 'R_HOME="${R_HOME_DIR}"', f"R_SHARE_DIR={home}/share"]
    script.write_text("\n".join([*lines, f": ${{R_ARCH={arch}}}", ""]))
    script.chmod(0o755)
    (home / f"lib{arch}" / "libR.so").touch()
    (home / f"etc{arch}" / "ldpaths").write_text(ldpaths)
    (home / "library" / "base" / "DESCRIPTION").write_text(f"Package: base\nVersion: {version}\n")
    return script


def test_everything_is_read_from_its_files(tmp_path: Path) -> None:
    home = tmp_path / "R"
    found = read_installation(str(make_r(home)))
    assert (found.home, found.version, found.library) == (str(home), "4.4.1", f"{home}/lib/libR.so")
    assert found.environment() == {
        "R_HOME": str(home),
        "R_SHARE_DIR": f"{home}/share",
        "R_INCLUDE_DIR": f"{home}/include",
        "R_DOC_DIR": f"{home}/doc",
        "LD_LIBRARY_PATH": f"{home}/lib",
    }
    assert read_home(str(home)) == found


def test_ldpaths_count(tmp_path: Path) -> None:
    script = make_r(tmp_path / "R", ldpaths='LD_LIBRARY_PATH="${R_HOME}/lib:/opt/blas"\n')
    libraries = read_installation(str(script)).environment()["LD_LIBRARY_PATH"]
    assert libraries == f"{tmp_path}/R/lib:/opt/blas"


def test_an_r_for_several_processors(tmp_path: Path) -> None:
    script = make_r(tmp_path / "R", ldpaths='LD_LIBRARY_PATH="${R_HOME}/lib${R_ARCH}"\n', arch="/x64")
    found = read_installation(str(script))
    assert found.library == f"{tmp_path}/R/lib/x64/libR.so"
    assert (found.environment()["R_ARCH"], found.environment()["LD_LIBRARY_PATH"]) == ("/x64", f"{tmp_path}/R/lib/x64")


def test_the_prefix_of_an_installation_leads_to_its_home(tmp_path: Path) -> None:
    home = tmp_path / "4.4.1" / "lib" / "R"
    make_r(home)
    assert read_home(str(tmp_path / "4.4.1")).home == str(home)


def test_a_copy_that_was_moved_is_itself(tmp_path: Path) -> None:
    """Its script still names the place it was built for."""
    make_r(tmp_path / "built" / "R")
    (tmp_path / "built").rename(tmp_path / "moved")
    home = tmp_path / "moved" / "R"
    (home / "doc").mkdir()
    for found in (read_home(str(home)), read_installation(str(home / "bin" / "R"))):
        assert found.environment() == {
            "R_HOME": str(home),
            "R_SHARE_DIR": f"{home}/share",
            "R_INCLUDE_DIR": f"{home}/include",
            "R_DOC_DIR": f"{home}/doc",
            "LD_LIBRARY_PATH": f"{home}/lib",
        }


def test_a_copy_beside_the_original_is_itself(tmp_path: Path) -> None:
    make_r(tmp_path / "original", "4.4.1")
    copy = tmp_path / "copy"
    script = make_r(copy, "4.4.2")
    script.write_text((tmp_path / "original" / "bin" / "R").read_text())
    found = read_home(str(copy))
    assert (found.home, found.version, found.environment()["R_SHARE_DIR"]) == (str(copy), "4.4.2", f"{copy}/share")


def test_a_home_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoR, match="there is no folder"):
        read_home(str(tmp_path / "R"))
    with pytest.raises(NoR, match="it has no library/base"):
        read_home(str(tmp_path))
    make_r(tmp_path / "R").unlink()
    with pytest.raises(NoR, match="bin/R cannot be read"):
        read_home(str(tmp_path / "R"))


def test_an_r_that_cannot_be_embedded_is_passed_over(tmp_path: Path) -> None:
    bad, good = make_r(tmp_path / "bad"), make_r(tmp_path / "good")
    (tmp_path / "bad" / "lib" / "libR.so").unlink()
    assert find_installation("", f"{bad.parent}:{good.parent}", NOWHERE).home == str(tmp_path / "good")
    with pytest.raises(NoR, match="enable-R-shlib"):
        find_installation(str(bad), str(good.parent), NOWHERE)


def test_no_r_at_all_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NoR, match="no start script of R"):
        find_installation("/bin/true")
    with pytest.raises(NoR, match="cannot be read"):
        find_installation(str(tmp_path / "R"))
    with pytest.raises(NoR, match="no R on the PATH"):
        find_installation("", str(tmp_path), NOWHERE)


@pytest.mark.r
def test_this_machines_r_gets_what_its_own_script_sets() -> None:
    found = find_installation("", "/usr/local/bin:/usr/bin")
    names = list(found.environment())
    program = f"for (n in c({', '.join(map(repr, names))})) cat(n, '=', Sys.getenv(n), '\\n', sep='')"
    shown = subprocess.run(
        [found.script, "--vanilla", "-s", "-e", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    ).stdout
    assert dict(line.split("=", 1) for line in shown.splitlines()) == found.environment()

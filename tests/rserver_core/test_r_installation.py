import os
import subprocess
from pathlib import Path

import pytest

from rserver_core.r_installation import NoR, candidates, find_installation, read_installation


def make_r(home: Path, version: str = "4.4.1", ldpaths: str = "") -> Path:
    """The files of an R that was built from source; its start script."""
    for folder in ("bin", "etc", "lib", "library/base"):
        (home / folder).mkdir(parents=True)
    script = home / "bin" / "R"
    script.write_text(f'#!/bin/sh\nR_HOME_DIR={home}\nR_HOME="${{R_HOME_DIR}}"\nR_SHARE_DIR={home}/share\n')
    script.chmod(0o755)
    (home / "lib" / "libR.so").touch()
    (home / "etc" / "ldpaths").write_text(ldpaths)
    (home / "library" / "base" / "DESCRIPTION").write_text(f"Package: base\nVersion: {version}\n")
    return script


def test_everything_is_read_from_its_files(tmp_path: Path) -> None:
    home = tmp_path / "R"
    found = read_installation(str(make_r(home)))
    assert (found.home, found.version) == (str(home), "4.4.1")
    assert found.environment() == {
        "R_HOME": str(home),
        "R_SHARE_DIR": f"{home}/share",
        "R_INCLUDE_DIR": f"{home}/include",
        "R_DOC_DIR": f"{home}/doc",
        "LD_LIBRARY_PATH": f"{home}/lib",
    }


def test_ldpaths_count(tmp_path: Path) -> None:
    script = make_r(tmp_path / "R", ldpaths='LD_LIBRARY_PATH="${R_HOME}/lib:/opt/blas"\n')
    libraries = read_installation(str(script)).environment()["LD_LIBRARY_PATH"]
    assert libraries == f"{tmp_path}/R/lib:/opt/blas"


def test_the_path_comes_before_the_usual_homes(tmp_path: Path) -> None:
    first, second = make_r(tmp_path / "first"), make_r(tmp_path / "second")
    path = f"/nowhere::{first.parent}"
    assert list(candidates(path, (str(tmp_path / "second"),)))[:2] == [str(first), str(second)]
    assert find_installation("", path, ()).home == str(tmp_path / "first")


def test_an_r_that_cannot_be_embedded_is_passed_over(tmp_path: Path) -> None:
    bad, good = make_r(tmp_path / "bad"), make_r(tmp_path / "good")
    (tmp_path / "bad" / "lib" / "libR.so").unlink()
    assert find_installation("", f"{bad.parent}:{good.parent}", ()).home == str(tmp_path / "good")
    with pytest.raises(NoR, match="enable-R-shlib"):
        find_installation(str(bad), str(good.parent), ())


def test_no_r_at_all_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NoR, match="no start script of R"):
        find_installation("/bin/true")
    with pytest.raises(NoR, match="cannot be read"):
        find_installation(str(tmp_path / "R"))
    if not Path("/opt/R").exists():
        with pytest.raises(NoR, match="no R on the PATH"):
            find_installation("", str(tmp_path), ())


@pytest.mark.r
def test_this_machines_r_gets_what_its_own_script_sets() -> None:
    found = find_installation("", os.environ["PATH"])
    names = list(found.environment())
    program = f"for (n in c({', '.join(map(repr, names))})) cat(n, '=', Sys.getenv(n), '\\n', sep='')"
    clean = {name: value for name, value in os.environ.items() if name not in names}
    shown = subprocess.run(
        [found.script, "--vanilla", "-s", "-e", program], capture_output=True, text=True, check=True, env=clean
    ).stdout
    assert dict(line.split("=", 1) for line in shown.splitlines()) == found.environment()

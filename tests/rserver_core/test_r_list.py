"""The list of R versions: scan, records, default."""

from pathlib import Path

import pytest

from rserver_core.r_installation import NoR
from rserver_core.r_list import RSearch, list_versions
from rserver_core.r_scan import USUAL, UsualPlaces
from rserver_core.r_version import RVersion, titles
from rserver_core.r_versions_file import RRecord
from tests.rserver_core.test_r_installation import make_r


def sources(tmp_path: Path, *records: RRecord, path: str = "", scan: bool = True, which_r: str = "") -> RSearch:
    places = UsualPlaces((f"{tmp_path}/lib/R", f"{tmp_path}/lib64/R"), (f"{tmp_path}/opt",))
    return RSearch(which_r, path, scan, "", records, places)


def shown(found: tuple[RVersion, ...]) -> list[str]:
    return [str(version.wish) for version in found]


def test_the_standard_places() -> None:
    assert USUAL.homes == (
        "/usr/lib/R",
        "/usr/lib64/R",
        "/usr/local/lib/R",
        "/usr/local/lib64/R",
        "/opt/local/lib/R",
        "/opt/local/lib64/R",
    )
    assert USUAL.parents == ("/opt/R", "/opt/local/R")


def test_all_places_are_scanned_newest_first_behind_the_default(tmp_path: Path) -> None:
    default = make_r(tmp_path / "lib" / "R", "4.1.9")
    make_r(tmp_path / "opt" / "4.10.0", "4.10.0")
    make_r(tmp_path / "opt" / "4.9.0" / "lib" / "R", "4.9.0")
    (tmp_path / "opt" / "empty").mkdir()
    make_r(tmp_path / "lib64" / "R", "3.6.3")
    found = list_versions(sources(tmp_path, path=f"/nowhere:{default.parent}")).versions
    assert shown(found) == [
        f"4.1.9|{tmp_path}/lib/R",
        f"4.10.0|{tmp_path}/opt/4.10.0",
        f"4.9.0|{tmp_path}/opt/4.9.0/lib/R",
        f"3.6.3|{tmp_path}/lib64/R",
    ]
    without_path = list_versions(sources(tmp_path)).versions
    assert without_path[0].version == "4.10.0"


def test_a_record_says_more_of_an_r_that_was_found(tmp_path: Path) -> None:
    make_r(tmp_path / "opt" / "a", "4.4.1")
    record = RRecord("f:1", f"{tmp_path}/opt/a", "Production", repo="https://r.example", library="/x:/y")
    (found,) = list_versions(sources(tmp_path, record)).versions
    environment = found.environment("/more")
    assert found.wish.title == "R 4.4.1 (Production)"
    assert environment["LD_LIBRARY_PATH"] == f"{tmp_path}/opt/a/lib:/more"
    own = f"{tmp_path}/opt/a/site-library"
    assert (environment["R_LIBS_SITE"], environment["RSTUDIO_R_REPO"]) == (f"/x:/y:{own}", "https://r.example")


@pytest.mark.parametrize(
    ("line", "libraries"),
    [
        ("R_LIBS_SITE=${R_LIBS_SITE:-'/usr/local/lib/R/site-library:%S'}", "/usr/local/lib/R/site-library:%S"),
        ("R_LIBS_SITE=${R_LIBS_SITE-'/a:/b'}", "/a:/b"),
        ('R_LIBS_SITE="${R_HOME}/mine:/b"', "{home}/mine:/b"),
        ("R_LIBS_SITE=${R_HOME}/mine", "{home}/mine"),
        ("#R_LIBS_SITE=/c", "{home}/site-library"),
    ],
)
def test_libraries_of_a_record_stand_in_front_of_those_of_its_r(tmp_path: Path, line: str, libraries: str) -> None:
    home = make_r(tmp_path / "a", "4.4.1").parent.parent
    (home / "etc").mkdir(exist_ok=True)
    (home / "etc" / "Renviron").write_text(f"A=1\n{line}\nB=2\n")
    (found,) = list_versions(sources(tmp_path, RRecord("f:1", str(home), library="/x"), scan=False)).versions
    assert found.environment()["R_LIBS_SITE"] == "/x:" + libraries.format(home=home)


def test_one_r_may_be_listed_several_times(tmp_path: Path) -> None:
    make_r(tmp_path / "a", "4.4.1")
    make_r(tmp_path / "b", "4.4.1")
    records = (
        RRecord("f:1", f"{tmp_path}/a", "Plain"),
        RRecord("f:4", f"{tmp_path}/a", "Modules", module="gcc/9"),
        RRecord("f:7", f"{tmp_path}/b"),
        RRecord("f:8", module="R/4.0"),
    )
    listed = list_versions(sources(tmp_path, *records, scan=False))
    assert list(titles(listed.versions).values()) == ["R 4.4.1 (Plain)", "R 4.4.1 (Modules)", "R 4.4.1", "R/4.0"]
    assert listed.warnings == (
        "f:4: the module gcc/9 needs the command `module`: set modules-bin-path in rserver.conf",
        "f:8: the module R/4.0 needs the command `module`: set modules-bin-path in rserver.conf",
    )


def test_twins_are_told_apart_by_their_homes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_r(tmp_path / "opt" / name, "4.4.1")
    found = list_versions(sources(tmp_path)).versions
    assert sorted(titles(found).values()) == [f"R 4.4.1 in {tmp_path}/opt/{name}" for name in ("a", "b")]


def test_an_r_that_cannot_be_used_is_a_warning(tmp_path: Path) -> None:
    make_r(tmp_path / "opt" / "a")
    records = RRecord("f:1", "/nowhere/R"), RRecord("f:2", f"{tmp_path}/opt/a", script="/nowhere/s.sh")
    listed = list_versions(sources(tmp_path, *records))
    assert [version.version for version in listed.versions] == ["4.4.1"]
    assert listed.warnings == (
        "f:1: this R is not offered: there is no folder /nowhere/R",
        "f:2: Script: there is no file /nowhere/s.sh",
    )


def test_without_scan_only_the_records_count(tmp_path: Path) -> None:
    on_path = make_r(tmp_path / "opt" / "a", "4.4.1")
    make_r(tmp_path / "b", "3.6.0")
    record = RRecord("f:1", f"{tmp_path}/b")
    found = list_versions(sources(tmp_path, record, path=str(on_path.parent), scan=False)).versions
    assert [version.version for version in found] == ["3.6.0"]
    alone = list_versions(sources(tmp_path, path=str(on_path.parent), scan=False)).versions
    assert [version.version for version in alone] == ["4.4.1"]


def test_which_r_is_the_default_and_its_fault_is_told(tmp_path: Path) -> None:
    make_r(tmp_path / "opt" / "a", "4.4.1")
    old = make_r(tmp_path / "old", "3.6.0")
    found = list_versions(sources(tmp_path, which_r=str(old)))
    assert [version.version for version in found.versions] == ["3.6.0", "4.4.1"]
    assert found.default.version == "3.6.0"
    broken = list_versions(sources(tmp_path, which_r="/bin/true"))
    assert [version.version for version in broken.versions] == ["4.4.1"]
    with pytest.raises(NoR, match="no start script"):
        assert broken.default


def test_no_r_at_all(tmp_path: Path) -> None:
    with pytest.raises(NoR, match="no R on the PATH"):
        assert list_versions(sources(tmp_path)).default


def test_the_list_goes_through_json(tmp_path: Path) -> None:
    make_r(tmp_path / "opt" / "a")
    record = RRecord("f:1", f"{tmp_path}/opt/a", "L", "m", "/s", "/r", "/l")
    (version,) = list_versions(sources(tmp_path, record)).versions
    assert RVersion.from_json(version.to_json()) == version
    wrong: list[object] = [None, [], {"version": 4}, {"variables": []}, {"variables": {"A": 1}}]
    for value in wrong:
        with pytest.raises(ValueError, match=r"no object|no text"):
            RVersion.from_json(value)

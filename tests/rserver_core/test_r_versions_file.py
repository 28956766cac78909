"""The administrator's list of R versions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core import r_versions_file
from rserver_core.config_errors import ConfigError, ConfigErrors
from rserver_core.r_versions_file import MOST_RECORDS, RRecord, parse

FULL = """\
# The old ones
/opt/R/3.6.3
/opt/R/4.0.4/

Path: /opt/R/4.4.1
Label: Production   # the one to use
# a remark inside of a record
Module: gcc/9.3 openblas/0.3
Script: /etc/rstudio/r-4.4.sh
Repo: https://cran.example.org
Library: /opt/lib/a:/opt/lib/b

Label: Modules only
Module: R/4.5
Repo: /etc/rstudio/repos.conf
"""


def test_paths_and_records() -> None:
    assert list(parse(FULL, "f")) == [
        RRecord("f:2", "/opt/R/3.6.3"),
        RRecord("f:3", "/opt/R/4.0.4"),
        RRecord(
            "f:5",
            "/opt/R/4.4.1",
            "Production",
            "gcc/9.3 openblas/0.3",
            "/etc/rstudio/r-4.4.sh",
            "https://cran.example.org",
            "/opt/lib/a:/opt/lib/b",
        ),
        RRecord("f:13", label="Modules only", module="R/4.5", repo="/etc/rstudio/repos.conf"),
    ]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Path: opt/R", "f:1: Path: expected the absolute path of a home of R, found 'opt/R'"),
        ("Path:", "f:1: Path: expected the absolute path of a home of R, found ''"),
        ("Label: x", "f:1: a record needs a Path or a Module"),
        ("Path: /a\nPath: /b", "f:2: Path: is given twice; an empty line begins the next record"),
        ("Path: /a\nModules: x", "f:2: Modules: unknown key; allowed are Path, Label, Module, Script, Repo, Library"),
        ("path: /a", "f:1: path: unknown key"),
        ("Path: /a\nModule: x; rm", "f:2: Module: expected names of environment modules with spaces between them"),
        ("Path: /a\nModule: -x", "f:2: Module: expected names of environment modules"),
        ("Path: /a\nScript: s.sh", "f:2: Script: expected the absolute path of a shell script"),
        ("Path: /a\nRepo: cran.example.org", "f:2: Repo: expected the URL of a repository or the absolute path"),
        ("Path: /a\nLibrary: /a:b", "f:2: Library: expected absolute paths of libraries"),
        ("Path: /a\nLabel: a|b", "f:2: Label: expected at most 100 characters without |"),
        (f"Path: /a\nLabel: {'x' * 101}", "f:2: Label: expected at most 100 characters"),
        ("Path: /a\n/b", "f:2: expected the path of a home of R or one of Path"),
        ("R 4.2.2", "f:1: expected the path of a home of R or one of Path"),
        ("/a\n\nPath: /a/", "f:3: is the same R as at f:1; give one of them another Label"),
        ("/a\x07", "f:1: expected at most 1000 characters without control characters"),
        (f"/{'x' * 1000}", "f:1: expected at most 1000 characters"),
    ],
)
def test_mistakes_have_place_key_and_what_is_allowed(text: str, finding: str) -> None:
    (found,) = [item for item in parse(text, "f") if isinstance(item, ConfigError)]
    assert str(found).startswith(finding)


def test_too_many() -> None:
    found = list(parse("\n".join(f"/opt/R/{number}" for number in range(MOST_RECORDS + 50)), "f"))
    assert len(found) == MOST_RECORDS + 1
    assert found[-1] == ConfigError(f"f:{MOST_RECORDS + 1}", "", f"only {MOST_RECORDS} R versions are allowed")


@given(st.text(max_size=300))
def test_any_text_gives_records_and_findings(text: str) -> None:
    for item in parse(text, "f"):
        assert isinstance(item, RRecord | ConfigError)


@given(st.lists(st.sampled_from(["Path: /a", "Label: x", "Module: m", "/b", "", "# c", "Repo: /r", "x"]), max_size=12))
def test_every_line_is_in_a_record_or_a_finding(lines: list[str]) -> None:
    found = list(parse("\n".join(lines), "f"))
    paths = [item.path for item in found if isinstance(item, RRecord)]
    assert all(path in {"/a", "/b", ""} for path in paths)
    assert bool(found) == any(line and not line.startswith("#") for line in lines)


def test_the_file_in_the_configuration_directory(tmp_path: Path) -> None:
    environ = {"RSTUDIO_CONFIG_DIR": str(tmp_path)}
    assert r_versions_file.read(environ) == ([], [])
    (tmp_path / "r-versions").write_text("/a\nPath: b\n")
    with pytest.raises(ConfigErrors, match=f"{tmp_path}/r-versions:2: Path: expected"):
        r_versions_file.check(environ)
    (tmp_path / "r-versions").write_bytes(b"/a\n\xff\n")
    assert "is not UTF-8" in str(r_versions_file.read(environ)[1][0])

"""The file `profiles`: sections, values, errors, who gets what."""

from pathlib import Path

import pytest

from rserver_core.config_errors import ConfigErrors
from rserver_core.profiles.file import load, parse
from rserver_core.profiles.keys import KEYS
from rserver_core.profiles.page import reference_page, sample_file
from rserver_core.profiles.profile import NOTHING, Profile
from rserver_core.profiles.profiles import Profiles

TEXT = """
# A comment
[*]
max-memory-mb = 4096   # another
session-limit=3
[@stat]
max-memory-mb=8192
cpu-affinity=1,3-4
r-versions-multiple=0
[ann]
max-cpus=1.5
nice=-5
max-memory-mb=1024
[@late]
session-limit=0
"""


def problems(text: str) -> list[str]:
    """All findings."""
    with pytest.raises(ConfigErrors) as found:
        parse(text, "p")
    return [str(error) for error in found.value.errors]


def test_later_sections_win_key_by_key() -> None:
    profiles = parse(TEXT, "p")
    assert profiles.of("bob", ()) == Profile(max_memory_mb=4096, session_limit=3)
    stat = Profile(max_memory_mb=8192, session_limit=3, cpu_affinity=(1, 3, 4), r_versions_multiple=False)
    assert profiles.of("bob", {"stat", "other"}) == stat
    ann = profiles.of("ann", {"stat", "late"})
    assert (ann.max_memory_mb, ann.max_cpus, ann.nice, ann.session_limit) == (1024, 1.5, -5, 0)
    assert ann.max_memory_bytes == 1 << 30


def test_a_user_with_a_groups_name_is_not_the_group() -> None:
    profiles = parse("[stat]\nnice=1\n[@ann]\nnice=2\n", "p")
    assert profiles.of("ann", ()) == NOTHING
    assert profiles.of("bob", {"stat"}) == NOTHING
    assert profiles.groups == {"ann"}


def test_every_error_is_told_with_its_line() -> None:
    assert problems("nice=1\n[*]\nnice=x\nmax-memory=1\n[a b]\n[*]\nnice=20\nrubbish\n[@]\nnice=1\nnice=2\n") == [
        "p:1: nice: stands before the first section, such as [*]",
        "p:3: nice: expected a whole number from -20 to 19, found 'x'",
        f"p:4: max-memory: unknown key; there are {', '.join(KEYS)}",
        "p:5: [a b]: expected [*], [@group] or [user]",
        "p:6: [*]: is given twice, first at p:2",
        "p:7: nice: is given twice, first at p:3",
        "p:8: expected key=value, found 'rubbish'",
        "p:9: [@]: expected [*], [@group] or [user]",
        "p:11: nice: is given twice, first at p:10",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "cpu-affinity=0",
        "cpu-affinity=3-1",
        "cpu-affinity=1,,2",
        "cpu-affinity=1-99999",
        "max-cpus=0",
        "max-cpus=0.001",
        "max-cpus=1e3",
        "max-cpus=nan",
        "max-memory-mb=99",
        "max-memory-mb=1.5",
        "max-processes=1",
        "session-limit=-1",
        "r-versions-multiple=yes",
        "r-version=a;b",
        "nice=",
    ],
)
def test_values_that_are_none(line: str) -> None:
    (problem,) = problems(f"[*]\n{line}\n")
    assert problem.startswith(f"p:2: {line.partition('=')[0]}: expected ")


def test_table_and_profile_have_the_same_names() -> None:
    assert tuple(key.attribute for key in KEYS.values()) == Profile._fields


def test_travels_between_processes() -> None:
    profiles = parse(TEXT, "p")
    assert Profiles.from_json(profiles.to_json()) == profiles


def test_file_of_the_configuration_directory(tmp_path: Path) -> None:
    environ = {"RSTUDIO_CONFIG_DIR": str(tmp_path)}
    assert load(environ) == Profiles()
    (tmp_path / "profiles").write_text("[*]\nnice=3\n")
    assert load(environ).of("x", ()).nice == 3
    (tmp_path / "profiles").write_bytes(b"[*]\nnice=\xff\n")
    with pytest.raises(ConfigErrors, match="profiles:2: is not UTF-8"):
        load(environ)


def test_sample_says_nothing_and_everything_is_on_the_page() -> None:
    assert parse(sample_file(), "p") == Profiles()
    assert all(f"| `{name}` |" in reference_page() for name in KEYS)


def test_example_of_the_page_is_good() -> None:
    text = reference_page().partition("```ini\n")[2].partition("```")[0]
    assert parse(text, "p").of("ann", {"statistics"}).max_memory_mb == 16384

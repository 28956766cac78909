from rserver_core.profiles.doubts import Surroundings, doubts
from rserver_core.profiles.file import parse
from rserver_core.r_version import RVersion

VERSIONS = (RVersion("4.2.2", "/usr/lib/R"), RVersion("4.4.1", "/opt/R/4.4.1/lib/R", label="new"))


def doubts_of(text: str, versions: tuple[RVersion, ...] = VERSIONS) -> list[str]:
    around = Surroundings({"ann"}.__contains__, {"statistics"}.__contains__, {1, 2}, versions)
    return list(doubts(parse(text, "profiles"), around))


def test_what_is_there_raises_no_doubt() -> None:
    text = "[*]\nnice=1\n[@statistics]\nr-version=new\n[ann]\ncpu-affinity=2\nr-version=4.2\n"
    assert doubts_of(text) == []


def test_sections_for_nobody() -> None:
    assert doubts_of("[@nosuch]\nnice=1\n[bert]\nnice=1\n") == [
        "profiles: [@nosuch]: there is no group nosuch on this machine",
        "profiles: [bert]: there is no account bert on this machine",
    ]


def test_processors_that_are_not_there() -> None:
    some, none = doubts_of("[*]\ncpu-affinity=2-4\n[ann]\ncpu-affinity=9\n")
    assert "may not use: 3 4 (it may use 1 2)" in some
    assert "[ann]: cpu-affinity names no processor that this server may use (1 2): its sessions cannot start" in none


def test_versions_of_r_that_are_not_there() -> None:
    (found,) = doubts_of("[*]\nr-version=3.6\n")
    assert found == "profiles: [*]: r-version 3.6 is not on this machine: its sessions get R 4.2.2"
    assert doubts_of("[*]\nr-version=3.6\n", ()) == ["profiles: [*]: r-version 3.6 is not on this machine"]

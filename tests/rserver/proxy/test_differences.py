"""Where h11 and a real nginx read otherwise than we do, the page about the front says so and why."""

import subprocess
from importlib.metadata import version

import pytest

from tests.rserver.proxy.differences.generated import requests
from tests.rserver.proxy.differences.listed import Difference, differences, listed
from tests.rserver.proxy.differences.readings import Reading, by_h11, by_us
from tests.rserver.proxy.implementations import PURE, Reader
from tests.rserver.proxy.nginx import needs_nginx
from tests.rserver.proxy.smuggling.cases import Case, corpus, prefix
from tests.rserver.proxy.smuggling.ways import Outcomes, only_nginx, ours, outcomes

SEED = 20_261_122
GENERATED = list(requests(SEED, 2500, first=1000))
CASES = [*corpus(), *GENERATED]
FOR_H11 = [*CASES, *requests(SEED, 6000, first=10_000)]


@pytest.fixture(scope="module")
def of_nginx(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    if "nginx/1.22." not in told:
        pytest.skip(f"the page speaks of nginx 1.22, here is {told.strip()}")
    return outcomes(only_nginx, tmp_path_factory.mktemp("nginx"), {}, CASES)


def test_h11(reader: Reader) -> None:
    if not version("h11").startswith("0.16"):
        pytest.skip("the page speaks of h11 0.16")
    found: dict[Difference, bytes] = {}
    for case in FOR_H11:
        ours, theirs = _below_prefix(case, by_us(reader, case.data)), _below_prefix(case, by_h11(case.data))
        found |= dict.fromkeys(differences("h11", case.data, ours, theirs), case.data)
    _compare("h11", found)


@needs_nginx
def test_nginx(reader: Reader, of_nginx: Outcomes) -> None:
    found: dict[Difference, bytes] = {}
    for case in CASES:
        ours, theirs = _below_prefix(case, by_us(reader, case.data)), Reading(of_nginx.of[case.number].requests, "")
        found |= dict.fromkeys(differences("nginx", case.data, ours, theirs), case.data)
    _compare("nginx", found)


@pytest.mark.parametrize("count", [700, pytest.param(2500, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("warm", "pieces"), [(False, 1), (True, 1), (True, 6)])
def test_the_running_front_reads_as_its_reader_does(
    environment: dict[str, str], warm: bool, pieces: int, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever short cuts the running program takes, and however the bytes arrive."""
    cases = GENERATED[-count:]
    carried = outcomes(ours, tmp_path_factory.mktemp("ours"), environment, cases, warm=warm, pieces=pieces)
    assert carried.broken == ()
    for case in cases:
        reading, seen = _below_prefix(case, by_us(PURE, case.data)), carried.of[case.number].requests
        # After an ambiguous path the connection goes on, and the reading does not.
        may_go_on = reading.end.startswith("dot segment")
        assert (seen[: len(reading.requests)] if may_go_on else seen) == reading.requests, (case.data, reading)


def _compare(peer: str, found: dict[Difference, bytes]) -> None:
    on_the_page = {difference for difference in listed() if difference.peer == peer}
    assert {difference: data for difference, data in found.items() if difference not in on_the_page} == {}
    assert on_the_page - set(found) == set(), "listed, but no longer so"


def _below_prefix(case: Case, reading: Reading) -> Reading:
    """Only what the backend can tell by its path from other cases' requests."""
    here = prefix(case.number) + "/"
    return Reading(tuple(request for request in reading.requests if request[1].startswith(here)), reading.end)

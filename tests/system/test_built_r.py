"""A newer R than this machine's, built from source at a prefix of its own, and a copy of it that was moved."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_core.r_installation import RInstallation, read_home
from tests.apt import SourceUnavailableError
from tests.built_r import built_r
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.test_many_sessions import create, ready, signed_in
from tests.system.test_r_versions import OWN, choose, of, suspend, value, versions

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.slow]


@pytest.fixture(scope="module")
def prefix() -> Path:
    """Where it is installed."""
    try:
        return built_r()
    except SourceUnavailableError as error:
        pytest.skip(f"no R built from source: {error}")


@pytest.fixture(scope="module")
def built(prefix: Path) -> RInstallation:
    return read_home(str(prefix))


@pytest.fixture(scope="module")
def moved(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy in another place; its scripts still name the first one."""
    place = Path("/var/tmp") / tmp_path_factory.mktemp("moved-r").name / "R"
    shutil.copytree(prefix, place, symlinks=True)
    yield place
    shutil.rmtree(place.parent)


@pytest.fixture(scope="module")
def r_server(prefix: Path, moved: Path) -> Iterator[RunningServer]:
    records = f"Path: {prefix}\nLabel: New\n\nPath: {moved}\nLabel: Moved\n"
    with running_server(files={"r-versions": records}) as made:
        yield made


def test_objects_go_to_the_newer_version_and_back(
    r_server: RunningServer, alice: Account, built: RInstallation
) -> None:
    visitor = signed_in(r_server, alice)
    titles = [item["title"] for item in versions(visitor)["versions"]]
    assert titles == [f"R {OWN.version}", f"R {built.version} (New)", f"R {built.version} (Moved)"]
    session = create(visitor)
    ready(session)
    session.run("x <- 1:10; f <- function(n) n + 1; e <- new.env(); e$v <- x; m <- lm(dist ~ speed, cars)")
    for version, label in ((built.version, "New"), (OWN.version, None), (built.version, "Moved")):
        suspend(session)
        assert choose(session, label or version).status == 200
        ready(session)
        assert value(session, "as.character(getRversion())") == version
        assert value(session, "sum(x), f(1), sum(e$v), round(coef(m)[[2]], 3)") == "552553.932"
        session.run("f <- function(n) n + 1; e$v <- e$v")
        assert of(session)["r_version"] == version


def test_a_copy_that_was_moved_runs_from_its_own_place(
    r_server: RunningServer, alice: Account, prefix: Path, moved: Path
) -> None:
    session = create(signed_in(r_server, alice), r_version="Moved")
    ready(session)
    assert value(session, "R.home(), ' ', R.home('share')") == f"{moved}/lib/R {moved}/lib/R/share"
    maps = value(
        session,
        "toString(unique(grep('libR.so|stats.so', sub('.* /', '/', readLines('/proc/self/maps')), value = TRUE)))",
    )
    assert maps == f"{moved}/lib/R/library/stats/libs/stats.so, {moved}/lib/R/lib/libR.so"
    assert value(session, "toString(.libPaths())") == f"{moved}/lib/R/library"
    assert str(prefix) not in value(session, "Sys.getenv('LD_LIBRARY_PATH')")

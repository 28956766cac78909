"""An R that comes from environment modules, with the real command `module`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apt import SourceUnavailableError
from tests.environment_modules import modules_script
from tests.other_r import VERSION, other_r
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.test_many_sessions import create, ready, signed_in
from tests.system.test_r_versions import value

pytestmark = [pytest.mark.root, pytest.mark.r]

MODULEFILE = """\
#%Module1.0
prepend-path PATH {other}/bin
prepend-path LD_LIBRARY_PATH /opt/of-the-module/lib
setenv FROM_MODULE yes
"""


@pytest.fixture(scope="module")
def r_server() -> Iterator[RunningServer]:
    try:
        script, other = modules_script(), other_r()
    except SourceUnavailableError as error:
        pytest.skip(f"no environment modules, or no second R: {error}")
    files = {
        "modulefiles/R/4.0": MODULEFILE.format(other=other),
        "modules.sh": f"export MODULEPATH={{conf}}/modulefiles\n. {script}\n",
        "r-versions": "Label: Cluster\nModule: R/4.0\n\nModule: R/9.9\n",
    }
    with running_server(files=files, modules_bin_path="{conf}/modules.sh") as made:
        yield made


def test_a_module_alone_brings_its_r(r_server: RunningServer, alice: Account) -> None:
    session = create(signed_in(r_server, alice), r_version="Cluster")
    ready(session)
    assert value(session, "as.character(getRversion()), ' ', Sys.getenv('FROM_MODULE')") == f"{VERSION} yes"
    assert value(session, "R.home()") == str(Path(other_r()))
    assert value(session, "Sys.getenv('LOADEDMODULES')") == "R/4.0"
    assert "/opt/of-the-module/lib" in value(session, "Sys.getenv('LD_LIBRARY_PATH')").split(":")
    assert value(session, "system('command -v R', intern = TRUE)") == f"{other_r()}/bin/R"


def test_a_module_that_is_not_there_is_explained(r_server: RunningServer, alice: Account) -> None:
    session = create(signed_in(r_server, alice), r_version="R/9.9")
    error = session.rpc_answer("client_init")["error"]
    assert error["message"].startswith("The environment module of this R version could not be loaded.")
    assert "Unable to locate a modulefile for 'R/9.9'" in error["session"]["stderr_tail"]

"""Sharing on real NFS mounts, of version 4.2 and 3, from a real server that squashes root; in a guest system."""

import pytest

from tests.apt import SourceUnavailableError
from tests.system import nfs_server
from tests.system.guest import PROGRAM, run_in_guest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(PROGRAM is None, reason="needs user-mode Linux (Debian: user-mode-linux)"),
]

CASES = "tests/rserver_acls/nfs_cases.py"


@pytest.mark.parametrize(
    ("by_name", "only"), [(False, "nfs"), (True, "'nfs4 and (lose or comes or judges)'")], ids=["by number", "by name"]
)
def test_in_a_guest(by_name: bool, only: str) -> None:
    try:
        prepare = nfs_server.prepare(by_name=by_name)
    except SourceUnavailableError as error:
        pytest.skip(str(error))
    code, console = run_in_guest(prepare, ["-s", "-k", only, CASES])
    assert code == 0, console[-20000:]
    assert "skipped" not in console, console[-20000:]
    print(console[console.find("figure:") :])

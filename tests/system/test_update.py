"""The server is replaced by another version while sessions run and others are suspended."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system import running_server as servers
from tests.system.accounts import Account
from tests.system.running_server import ROOT, RunningServer, running_server
from tests.system.test_many_sessions import create, listed, ready, signed_in

pytestmark = [pytest.mark.root, pytest.mark.r]

_PACKAGES = [
    file.parent.name for file in ROOT.glob("*/__init__.py") if file.parent.name not in {"tests", "tools", "bench"}
]


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[Path]:
    """The programs once more, in another place and with another version."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    for name in _PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "rsession_run.sh", tmp_path)
    (tmp_path / "ide").mkdir()
    shutil.copytree(ROOT / "ide" / "dist", tmp_path / "ide" / "dist")
    version = tmp_path / "rserver_core" / "version.py"
    version.write_text(version.read_text().replace('VERSION = "', 'VERSION = "99.'))
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_sessions_live_through_it_and_suspended_ones_come_back(
    alice: Account, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server() as old:
        visitor = signed_in(old, alice)
        working, suspended = create(visitor, label="works"), create(visitor, label="rests")
        pid = ready(working)
        ready(suspended)
        working.run("x <- 42")
        suspended.run("y <- 'kept'")
        suspended.rpc("suspend_session")
        wait_until(lambda: listed(visitor)[suspended.session_path]["state"] == "suspended")
        working.rpc("console_input", "for (i in 1:300) { cat('line', i, '\\n'); Sys.sleep(0.01) }; x", "")
        assert old.stop() == 0
        monkeypatch.setattr(servers, "ROOT", newer)
        env = {**os.environ, "RSTUDIO_CONFIG_DIR": str(old.directory / "conf")}
        updated = RunningServer(old.directory, old.options, env)
        try:
            assert str(newer) in Path(f"/proc/{updated.master_pid}/cmdline").read_text()
            text = working.wait_for_prompt()
            assert [line for line in text.splitlines() if line.startswith("line ")] == [
                f"line {i} " for i in range(1, 301)
            ]
            assert "[1] 42" in text
            assert listed(visitor)[working.session_path]["pid"] == pid
            ready(suspended)
            assert "kept" in suspended.run("y")
            working.rpc("suspend_session")
            wait_until(lambda: listed(visitor)[working.session_path]["state"] == "suspended")
            ready(working)
            assert "[1] 42" in working.run("x")
            for session in (working, suspended):
                session.rpc("quit_session", "no")
            wait_until(lambda: {item["state"] for item in listed(visitor).values()} == {"absent"})
        finally:
            updated.stop()

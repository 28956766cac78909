"""The run directory is removed under a live server, as a cleaner of temporary files does it."""

import fcntl
import os
import shutil
import time
from typing import Any

import pytest

from tests.rserver_admin.command import ask
from tests.system.accounts import Account
from tests.system.running_server import running_server
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

PATIENCE_SECONDS = 60


@pytest.mark.parametrize("options", [{}, {"www_workers": "2", "server_http": "1"}], ids=["one worker", "nginx"])
def test_it_is_made_again_and_nothing_is_lost(alice: Account, options: dict[str, Any]) -> None:
    with running_server(**options) as server:
        visitor = Visitor(server.port)
        visitor.sign_in(alice.name, alice.password)
        visitor.open_session()
        visitor.run("x <- 6 * 7")
        first = visitor.session_path
        master = server.master_pid
        shutil.rmtree(server.run_dir)
        status = ask(server, "status")
        assert (status.returncode, f"pid       {master}" in status.stdout) == (0, True), status
        assert f"{server.run_dir} was removed" in status.stdout
        started = visitor.post_json("/api/sessions", {"label": "another"})
        assert started.status == 201
        until_state(visitor, first, "suspended")
        until_state(visitor, started.json()["url"], "running")
        visitor.init()
        assert "42" in visitor.run("x")
        assert server.master_pid == master
        assert (server.run_dir / "profiles.json").exists()
        assert "was removed while the server runs; it was made again" in server.log
        shutil.rmtree(server.run_dir)
        stopped = ask(server, "stop")
        assert stopped.returncode == 0, stopped
        assert server.wait() == 0
        assert not (server.lib_dir / "rserver.running").exists()


def until_state(visitor: Visitor, url: str, state: str) -> None:
    end, found = time.monotonic() + PATIENCE_SECONDS, ""
    while found != state:
        assert time.monotonic() < end, found
        answer = visitor.get(f"/api/sessions/{url.split('/')[2]}")
        # While the worker is started anew it is 502 or 503.
        found = answer.json()["state"] if answer.status == 200 else f"status {answer.status}"


def test_cleaners_that_heed_locks_let_it_be() -> None:
    with running_server() as server:
        folder = os.open(server.run_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(folder)

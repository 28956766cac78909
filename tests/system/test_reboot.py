"""The machine stops while sessions run: what its users are told afterwards."""

import json
import os
import shutil
import signal
from contextlib import suppress

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, descendants, running_server
from tests.system.test_many_sessions import create, listed, ready, signed_in
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]


def stop_the_machine(server: RunningServer) -> None:
    """Every process ends at once, and what lies in memory is gone."""
    records = [json.loads(file.read_text()) for file in (server.run_dir / "sessions").glob("*.json")]
    keepers = [record[name] for record in records for name in ("keeper_pid", "pid")]
    for pid in [server.process.pid, *descendants(server.process.pid), *keepers]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.wait()
    shutil.rmtree(server.run_dir)


def test_what_was_saved_comes_back_and_where_nothing_was_it_is_said(alice: Account) -> None:
    with running_server() as server:
        visitor = signed_in(server, alice)
        saved, unsaved = create(visitor, label="saved"), create(visitor, label="unsaved")
        ready(saved)
        ready(unsaved)
        saved.run("x <- 42")
        saved.rpc("checkpoint_session")
        unsaved.run("y <- 42")

        def known(which: Visitor) -> object:
            return listed(visitor)[which.session_path]["stored"]

        wait_until(lambda: bool(known(saved)) and known(unsaved) == 0, 30)
        stop_the_machine(server)
        server.start()
        told = {path: entry["cause"] for path, entry in listed(visitor).items()}
        assert told[saved.session_path].endswith("What was saved last comes back.")
        assert told[unsaved.session_path].endswith("nothing had been saved of its objects yet.")
        ready(unsaved)
        lost = "Nothing had been saved of its objects yet: they are lost."
        unsaved.seen = 0
        unsaved.wait_for(lambda event: event["type"] == "show_message" and lost in event["data"]["text"])
        ready(saved)
        assert "[1] 42" in saved.run("x")
        offered = saved.init()["recovered"]
        assert (offered["ended"], offered["cause"]) == (None, "The machine or the server stopped while it ran.")

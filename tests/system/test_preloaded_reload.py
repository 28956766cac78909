"""A reload renews what sessions are forked from when an option of it has changed, and only then."""

import os
import re
import shutil
import signal

import pytest

from rserver_core.r_installation import read_installation
from tests.system.accounts import Account
from tests.system.preloading import READY, r_pid, session_of, was_forked
from tests.system.running_server import RunningServer, running_server
from tests.system.test_profiles import until

pytestmark = [pytest.mark.root, pytest.mark.r]

RELOADED = re.compile("configuration reloaded")


def _reload(server: RunningServer, conf: str) -> int:
    """How many lines the log had before."""
    begin = len(server.lines)
    (server.directory / "conf" / "rserver.conf").write_text(conf)
    os.kill(server.master_pid, signal.SIGHUP)
    server.wait_for_line(RELOADED, begin=begin)
    return begin


def test_templates_follow_the_configuration(alice: Account, bob: Account) -> None:
    script = shutil.which("R")
    assert script
    own_script = f"{read_installation(script).home}/bin/R"
    with running_server(conf="rsession-preload=1\n") as server:
        server.wait_for_line(READY)
        first = server.pids("rserver_template")
        running, _ = session_of(server, alice)
        _reload(server, "rsession-preload=1\nwww-frame-origin=same\n")
        begin = _reload(server, f"rsession-preload=1\nrsession-which-r={own_script}\n")
        server.wait_for_line(READY, begin=begin)
        # Were it renewed by the first reload, too, there would be three.
        assert sum(1 for line in server.lines if READY.search(line)) == 2
        until(lambda: not set(first) & set(server.pids("rserver_template")))
        other, _ = session_of(server, bob)
        assert was_forked(r_pid(other))
        assert "[1] 2" in running.run("1 + 1")
        _reload(server, "")
        until(lambda: not server.pids("rserver_template"))
        assert "[1] 2" in other.run("1 + 1")
        other.rpc("quit_session")
        until(lambda: other.get(f"/api/sessions/{other.session_path.split('/')[2]}").json()["state"] == "absent")
        again, _ = session_of(server, bob)
        assert not was_forked(r_pid(again))

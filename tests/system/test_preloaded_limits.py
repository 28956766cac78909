"""Limits of profiles hold for a session that was forked from a preloaded R as for any other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.accounts import Account
from tests.system.preloading import READY, r_pid, session_of, was_forked
from tests.system.running_server import RunningServer, running_server
from tests.system.test_profiles import MEGABYTES, needs_cgroups, shown, until

pytestmark = [pytest.mark.root, pytest.mark.r, needs_cgroups]

PROFILES = f"[*]\nmax-memory-mb={MEGABYTES}\nmax-processes=60\nmax-cpus=1.5\nnice=4\n"
TAKEN = MEGABYTES // 2


@pytest.fixture(scope="module")
def limiting() -> Iterator[RunningServer]:
    with running_server(files={"profiles": PROFILES}, rsession_preload="1") as server:
        server.wait_for_line(READY)
        yield server


def memory_of(server: RunningServer) -> list[int]:
    """Resident bytes of the preloaded R."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in server.pids("rserver_template")]
    lines = [line for status in statuses for line in status.splitlines() if line.startswith("VmRSS")]
    return [int(line.split()[1]) << 10 for line in lines]


def test_memory_is_charged_to_the_session_that_takes_it(limiting: RunningServer, alice: Account, bob: Account) -> None:
    visitor, other = session_of(limiting, alice)[0], session_of(limiting, bob)[0]
    pid, before = r_pid(visitor), memory_of(limiting)
    assert before
    assert was_forked(pid)
    session = visitor.session_path.split("/")[2]
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    held = {line.split(":")[1] for line in lines if f"/rserver-{session}-" in line}
    assert "memory" in held or "" in held
    item = shown(visitor)
    assert item["memory_limit_bytes"] == MEGABYTES << 20
    assert 0 < item["memory_bytes"] < 100 << 20
    visitor.run(f"x <- rep(1, {TAKEN} * 131072)")
    until(lambda: shown(visitor)["memory_bytes"] >= item["memory_bytes"] + (TAKEN << 20) * 0.95)
    assert shown(other)["memory_bytes"] < 100 << 20
    assert memory_of(limiting) == before
    assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16] == "4"


def test_who_takes_too_much_is_ended_and_neither_others_nor_the_preloaded_r(
    limiting: RunningServer, alice: Account, bob: Account
) -> None:
    visitor, other = session_of(limiting, alice)[0], session_of(limiting, bob)[0]
    assert was_forked(r_pid(visitor))
    visitor.rpc_answer("console_input", f"y <- rep(1, {MEGABYTES} * 131072)", "")
    until(lambda: shown(visitor)["state"] == "failed")
    assert f"of the {MEGABYTES} MB of memory that this server allows a session" in shown(visitor)["cause"]
    assert "42" in other.run("6 * 7")
    assert visitor.post_json(f"/api/sessions/{visitor.session_path.split('/')[2]}/resume", {}).status == 202
    visitor.init()
    visitor.seen = 0
    visitor.wait_for_prompt()
    assert was_forked(r_pid(visitor))

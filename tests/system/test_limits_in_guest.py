"""Limits by control groups of version 2, on a kernel that has all controllers there."""

import pytest

from tests.system.guest import PROGRAM, SYSTEMD, run_as_service, run_in_guest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.r,
    pytest.mark.skipif(PROGRAM is None, reason="needs user-mode Linux (Debian: user-mode-linux)"),
]

GROUPS = "mount -t cgroup2 cgroup2 /sys/fs/cgroup"
# As a service manager hands a group to a service: its processes are in it, and have to make room.
DELEGATED = f"""{GROUPS}
echo "+cpu +memory +pids" > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/service
echo $$ > /sys/fs/cgroup/service/cgroup.procs
"""


LIMITS = "tests/rserver_process/test_session_limits.py"
WARNED = "tests/system/test_profiles.py::test_memory_is_warned_of_then_ended_with_the_reason"


@pytest.mark.parametrize(
    ("prepare", "tests"),
    [(GROUPS, [LIMITS]), (DELEGATED, [LIMITS, WARNED])],
    ids=["the machine's root group", "a delegated group"],
)
def test_everything_that_holds_in_version_1(prepare: str, tests: list[str]) -> None:
    code, console = run_in_guest(prepare, tests)
    assert code == 0, console
    assert "SKIPPED" not in console, console


@pytest.mark.skipif(not SYSTEMD.exists(), reason="needs systemd")
def test_a_service_with_a_group_from_systemd() -> None:
    code, console = run_as_service(
        [
            f"{LIMITS}::{name}"
            for name in ("test_who_takes_too_much_is_ended_and_nobody_else", "test_processor_time_is_held")
        ]
    )
    assert code == 0, console
    assert "2 passed" in console

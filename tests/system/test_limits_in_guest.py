"""Limits by control groups of version 2, on a kernel that has all controllers there."""

import pytest

from tests.system.guest import PROGRAM, run_in_guest

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


@pytest.mark.parametrize("prepare", [GROUPS, DELEGATED], ids=["the machine's root group", "a delegated group"])
def test_everything_that_holds_in_version_1(prepare: str) -> None:
    code, console = run_in_guest(
        prepare, ["tests/rserver_process/test_session_limits.py", "tests/system/test_profiles.py"]
    )
    assert code == 0, console
    assert "SKIPPED" not in console, console

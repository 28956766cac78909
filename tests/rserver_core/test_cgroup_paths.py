"""Where control groups are, on machines of several kinds."""

import pytest

from rserver_core.cgroup_paths import UNIFIED, group_path, mounts

SYSTEMD = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
LEGACY = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
36 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
45 31 0:44 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
DOCKER = "36 31 0:33 /docker/abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory"


@pytest.mark.parametrize(
    ("controller", "mountinfo", "cgroup", "path"),
    [
        (UNIFIED, SYSTEMD, "0::/system.slice/r.service", "/sys/fs/cgroup/system.slice/r.service"),
        (UNIFIED, SYSTEMD, "0::/", "/sys/fs/cgroup"),
        ("memory", SYSTEMD, "0::/x", None),
        ("cpu", LEGACY, "4:memory:/m\n1:cpu,cpuacct:/c\n0::/u", "/sys/fs/cgroup/cpu,cpuacct/c"),
        ("memory", LEGACY, "4:memory:/m\n1:cpu,cpuacct:/c\n0::/u", "/sys/fs/cgroup/memory/m"),
        (UNIFIED, LEGACY, "4:memory:/m\n1:cpu,cpuacct:/c\n0::/u", "/sys/fs/cgroup/unified/u"),
        ("memory", DOCKER, "4:memory:/docker/abc", "/sys/fs/cgroup/memory"),
        ("memory", DOCKER, "4:memory:/docker/abc/below", "/sys/fs/cgroup/memory/below"),
        ("memory", "", "4:memory:/x", None),
        ("pids", LEGACY, "0::/u", None),
    ],
)
def test_directory_of_the_own_group(controller: str, mountinfo: str, cgroup: str, path: str | None) -> None:
    assert group_path(controller, mounts(mountinfo), cgroup) == path


def test_other_file_systems_and_broken_lines_are_no_hierarchies() -> None:
    assert mounts("nonsense\n\n1 2 3 - cgroup\n31 23 0:28 / /tmp rw - tmpfs tmpfs rw") == ()

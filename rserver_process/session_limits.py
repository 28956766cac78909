"""Puts a profile's limits on a session. Runs in the session's own process, while that is still root and in its group.

What a control group can hold it holds; what it cannot, an rlimit does as far as it goes. Nothing here ever raises what
the server itself has.
"""

import contextlib
import grp
import os
import resource
from collections.abc import Iterator
from typing import NamedTuple

from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import Profiles
from rserver_process import kernel_files
from rserver_process.accounts import Account
from rserver_process.cgroup_places import Places, places

_PERIOD = 100_000
"""Microseconds over which the time of processors is counted, the kernel's own default."""


class CannotLimit(Exception):
    """A limit that the profile asks for could not be set; the text says which and why."""


class Setting(NamedTuple):
    """A file of a control group and what to write. optional: not every kernel has it."""

    file: str
    value: str
    optional: bool = False


def profile_of(account: Account, profiles: Profiles) -> Profile:
    """What the profiles say for an account; asks for the groups that they name."""
    return profiles.of(account.name, [name for name in profiles.groups if _gid(name) in account.groups])


def hold(profile: Profile, group: str) -> None:
    """Limit this process and all it will start; group: name of the session's control group. CannotLimit."""
    try:
        _hold(profile, group, places())
        _limit_files(profile)
        _set_order(profile)
    except (OSError, ValueError) as error:
        raise CannotLimit(f"a limit of the profile cannot be set: {error}") from None


def _hold(profile: Profile, group: str, where: Places) -> None:
    for controller, version_2, version_1 in _wanted(profile):
        legacy = where.legacy_of(controller)
        if controller in where.unified_controllers:
            _must_be_in(group)
            _write(f"{where.unified}/{group}", version_2)
        elif legacy:
            path = f"{legacy}/{group}"
            os.makedirs(path, 0o755, exist_ok=True)
            _write(path, version_1)
            # Into `tasks`: a thread may move itself without waiting for every processor, 15 ms each.
            kernel_files.write(f"{path}/tasks", "0")
        else:
            _limit_process(controller, profile)


def _must_be_in(group: str) -> None:
    """Of version 2, where the process was born in its group, or should have been."""
    own = kernel_files.read("/proc/self/cgroup").splitlines()
    if not any(line.startswith("0::") and line.endswith(f"/{group}") for line in own):
        raise ValueError("the session could not be put into its control group")


def _wanted(profile: Profile) -> Iterator[tuple[str, list[Setting], list[Setting]]]:
    """By controller, the settings in version 2 and in version 1."""
    if memory := profile.max_memory_bytes:
        text = str(memory)
        # What does not fit must not make the machine's disk the memory of one session.
        yield "memory", [Setting("memory.max", text), Setting("memory.swap.max", "0", optional=True)], _legacy(text)
    if profile.max_cpus:
        quota = str(int(profile.max_cpus * _PERIOD))
        legacy = [Setting("cpu.cfs_period_us", str(_PERIOD)), Setting("cpu.cfs_quota_us", quota)]
        yield "cpu", [Setting("cpu.max", f"{quota} {_PERIOD}")], legacy
    if profile.max_processes:
        processes = [Setting("pids.max", str(profile.max_processes))]
        yield "pids", processes, processes


def _legacy(text: str) -> list[Setting]:
    return [Setting("memory.limit_in_bytes", text), Setting("memory.memsw.limit_in_bytes", text, optional=True)]


def _write(path: str, settings: list[Setting]) -> None:
    for setting in settings:
        with contextlib.suppress(FileNotFoundError) if setting.optional else contextlib.nullcontext():
            kernel_files.write(f"{path}/{setting.file}", setting.value)


def _limit_process(controller: str, profile: Profile) -> None:
    if controller == "memory" and profile.max_memory_bytes:
        # Not the address space: programs reserve much that they never use.
        _lower(resource.RLIMIT_DATA, profile.max_memory_bytes)
    elif controller == "pids" and profile.max_processes:
        _lower(resource.RLIMIT_NPROC, profile.max_processes)


def _limit_files(profile: Profile) -> None:
    if profile.max_open_files:
        _lower(resource.RLIMIT_NOFILE, profile.max_open_files)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _set_order(profile: Profile) -> None:
    if profile.nice is not None:
        os.setpriority(os.PRIO_PROCESS, 0, profile.nice)
    if profile.cpu_affinity:
        there = os.sched_getaffinity(0)
        chosen = there.intersection(number - 1 for number in profile.cpu_affinity)
        if not chosen:
            raise ValueError(f"none of the processors of cpu-affinity is among those of this server: {_shown(there)}")
        os.sched_setaffinity(0, chosen)


def _shown(processors: set[int]) -> str:
    return " ".join(str(number + 1) for number in sorted(processors))


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None

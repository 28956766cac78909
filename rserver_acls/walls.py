"""Everything that stands around the process which walks through other people's files."""

import resource
import signal
from collections.abc import Collection, Iterable
from typing import NamedTuple

from rserver_acls import capabilities, kernel, landlock, seccomp
from rserver_acls.refusal import Refusal

_LIMITS = {
    resource.RLIMIT_NOFILE: 4096,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 4 << 30,
    resource.RLIMIT_DATA: 512 << 20,
    resource.RLIMIT_NPROC: 0,
}


class Identity(NamedTuple):
    """Who the process becomes, and which capabilities it keeps. real: who may send it signals; 0: uid itself."""

    uid: int
    gid: int
    groups: Iterable[int]
    capabilities: Collection[int]
    real: int = 0


def become(identity: Identity) -> None:
    """The first wall: another account."""
    try:
        capabilities.become(*identity)
        # Not earlier: the kernel forgets it when the account changes.
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    except OSError as error:
        raise _not_confined(error) from None


def close_in(folder: int, *, with_modes: bool = False) -> list[str]:
    """The others, around this open folder; the names of all that stand now. Refusal when one cannot be raised.

    Only Landlock may be missing, where the kernel has none. with_modes: modes of open files may be changed.
    """
    standing = ["uid", "capabilities"]
    try:
        for limit, most in _LIMITS.items():
            _lower(limit, most)
        if interface := landlock.version():
            landlock.restrict(folder, interface)
            standing.append("landlock")
        seccomp.restrict(with_modes=with_modes)
    except OSError as error:
        raise _not_confined(error) from None
    return [*standing, "seccomp"]


def most_descriptors() -> int:
    """How many can be open inside."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _LIMITS[resource.RLIMIT_NOFILE] if hard < 0 else min(hard, _LIMITS[resource.RLIMIT_NOFILE])


def _lower(limit: int, most: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (value, value))


def _not_confined(error: OSError) -> Refusal:
    return Refusal("failed", f"The process could not be walled in, so nothing was changed: {error.strerror or error}.")

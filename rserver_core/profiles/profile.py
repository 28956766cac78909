"""The keys of a profile, one table for parser, messages between processes and reference page."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from rserver_core.options.kinds import Flag, Integer, Kind, Text
from rserver_core.options.option import Option, option, options_of
from rserver_core.profiles.kinds import Processors, Share

MEGABYTE = 1 << 20
# R itself needs about 60 megabytes, and a handful of threads.
_LEAST_MEGABYTES, _LEAST_PROCESSES, _LEAST_FILES = 100, 16, 64
_VERSION = Text("a version of R, a label or a path of r-versions", r"[A-Za-z0-9._/ ()+-]{1,200}")


def _key(kind: Kind, otherwise: str, doc: str) -> Any:
    """A key of the file; otherwise: what counts when no section says it."""
    return field(default=None, metadata=option(kind, otherwise, doc).metadata)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the sections for one user say together; None: nothing is said."""

    session_limit: int | None = _key(
        Integer(0, 1000),
        "`session-limit` of rserver.conf",
        "Sessions that a user may have, suspended ones included; 0: no limit.",
    )
    session_timeout_minutes: int | None = _key(
        Integer(0, 525600),
        "`session-timeout-minutes` of rsession.conf",
        "Minutes after which a session that nobody uses is suspended; 0: never.",
    )
    session_timeout_kill_hours: int | None = _key(
        Integer(0, 8760),
        "`session-timeout-kill-hours` of rsession.conf",
        "Hours after which a session that nobody uses is ended, whatever it does; 0: never.",
    )
    r_version: str | None = _key(
        _VERSION, "the server's own", "The R that a session gets for which nothing else was chosen."
    )
    r_versions_multiple: bool | None = _key(
        Flag(), "`r-versions-multiple` of rserver.conf", "Whether a user may choose another R; 0: r-version, always."
    )
    max_memory_mb: int | None = _key(
        Integer(_LEAST_MEGABYTES, 1 << 24),
        "no limit",
        "Megabytes (of 1,048,576 bytes) of memory for a session and all that it starts. "
        "A program that needs more is ended.",
    )
    max_cpus: float | None = _key(
        Share(), "no limit", "Processors that a session and all that it starts may keep busy together; 1.5 is allowed."
    )
    max_processes: int | None = _key(
        Integer(_LEAST_PROCESSES, 4194304),
        "no limit",
        "Processes and threads that a session may have at a time; R alone has about six.",
    )
    max_open_files: int | None = _key(
        Integer(_LEAST_FILES, 1 << 20), "the account's own", "Files that each process may have open."
    )
    nice: int | None = _key(
        Integer(-20, 19), "0", "Who goes first when processors are scarce: the higher the number, the later."
    )
    cpu_affinity: tuple[int, ...] | None = _key(
        Processors(),
        "all",
        "Processors, counted from 1, that a session runs on. A user can undo this, unlike max-cpus.",
    )

    @property
    def max_memory_bytes(self) -> int | None:
        """max-memory-mb in bytes."""
        return None if self.max_memory_mb is None else self.max_memory_mb * MEGABYTE

    def to_json(self) -> dict[str, Any]:
        """What it says, for a message to another process."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Profile":
        """From such a message of a process that we trust; TypeError when it has something else."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**known)

    def followed_by(self, later: "Profile") -> "Profile":
        """What both say together: what later says wins."""
        return replace(self, **later.to_json())


KEYS: dict[str, Option] = options_of(Profile)
NOTHING = Profile()

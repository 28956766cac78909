"""What the profiles say for one user. Small, since keepers share a process that loads it; keys.py has the table."""

from typing import Any, NamedTuple

MEGABYTE = 1 << 20


class Profile(NamedTuple):
    """What the sections for one user say together, named as the keys of the file; None: nothing is said."""

    session_limit: int | None = None
    session_timeout_minutes: int | None = None
    session_timeout_kill_hours: int | None = None
    r_version: str | None = None
    r_versions_multiple: bool | None = None
    max_memory_mb: int | None = None
    max_cpus: float | None = None
    max_processes: int | None = None
    max_open_files: int | None = None
    nice: int | None = None
    cpu_affinity: tuple[int, ...] | None = None

    @property
    def max_memory_bytes(self) -> int | None:
        """max-memory-mb in bytes."""
        return None if self.max_memory_mb is None else self.max_memory_mb * MEGABYTE

    def to_json(self) -> dict[str, Any]:
        """What it says, for a message to another process."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value is not None}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Profile":
        """From such a message of a process that we trust; TypeError when it has something else."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**known)

    def followed_by(self, later: "Profile") -> "Profile":
        """What both say together: what later says wins."""
        return self._replace(**later.to_json())


NOTHING = Profile()

"""What the server answers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rserver_client.errors import RCodeError


@dataclass(frozen=True)
class SessionInfo:
    """A session on the server."""

    id: str
    name: str
    owner: str
    runtime: str


@dataclass(frozen=True)
class Execution:
    """What came of code.

    success  R met no error
    error    its message, else empty
    output   what R wrote
    files    names of the files in the session's folder that this code made or wrote
    values   the objects that were asked for, as JSON has them: a vector is a list, a data frame a dict of lists
    """

    success: bool
    error: str
    output: str
    files: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> "Execution":
        """Itself; RCodeError when R met an error."""
        if not self.success:
            raise RCodeError(self.error, self.output)
        return self


@dataclass(frozen=True)
class Tokens:
    """What a sign-in gives. refresh: gives another pair, once; expires: seconds since 1970; life: seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: float
    life: float

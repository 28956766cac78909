"""What a verb is: a row of the table, called with the circumstances, answering with a result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rserver_admin.command_line import Invocation
from rserver_admin.server import Server, settings_of

EXIT_FAILED, EXIT_USAGE, EXIT_STOPPED = 1, 2, 3


class Refused(Exception):
    """The verb cannot be done; the text says why, code is the exit code."""

    def __init__(self, message: str, code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb did: for a person, for a program, and the exit code."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0


@dataclass(frozen=True)
class Context:
    """The circumstances of a call."""

    invocation: Invocation
    environ: Mapping[str, str]

    @cached_property
    def server(self) -> Server:
        """The server that is meant; ConfigErrors when not even its directories can be made out."""
        return Server(settings_of(self.invocation.options, self.environ))


@dataclass(frozen=True, slots=True)
class Verb:
    """One row. operand: shown in the usage, needed when it is not empty; options: those of our own that it takes.

    json: the fields of the answer to --json. for_anybody: needs neither root nor a server; makes_server: no server
    needs to have been there before.
    """

    name: str
    run: Callable[[Context], Result]
    doc: str
    json: str
    operand: str = ""
    options: tuple[str, ...] = ()
    for_anybody: bool = False
    makes_server: bool = False

"""What is wrong with a configuration: every finding at once, each with its place, its key and what is allowed."""

from collections.abc import Iterable
from typing import NamedTuple

EXIT_CODE = 2
"""How a program ends that cannot use its configuration."""


class ConfigError(NamedTuple):
    """One finding. place is `file:line`, `file` or `command line`; key may be empty."""

    place: str
    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.problem}" if self.key else f"{self.place}: {self.problem}"


class ConfigErrors(Exception):
    """The configuration cannot be used: `errors` has every finding, the text one line for each."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))

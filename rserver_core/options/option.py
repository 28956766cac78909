"""One row of an option table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rserver_core.options.kinds import Kind, NotAllowed

_METADATA = "option"


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of an option besides its name. Defaults are texts as in a file.

    without_root: defaults for an ordinary user, the first one that can be read counts; empty: the same as for root.
    """

    kind: Kind
    default: str
    doc: str
    without_root: tuple[str, ...] = ()
    repeatable: bool = False
    command_line_only: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A row with its name in files and on the command line, and the attribute of the settings for its value."""

    name: str
    attribute: str
    row: Row

    def read(self, text: str, environ: Mapping[str, str]) -> Any:
        """The typed value of text; NotAllowed when it is none."""
        return self.row.kind.read(text, environ)

    def default(self, environ: Mapping[str, str], *, root: bool) -> Any:
        """The typed value when nobody said anything; for a repeatable option the empty tuple."""
        if self.row.repeatable:
            return ()
        for text in () if root else self.row.without_root:
            try:
                return self.read(text, environ)
            except NotAllowed:
                continue
        return self.read(self.row.default, environ)


def option(
    kind: Kind,
    default: str,
    doc: str,
    *,
    without_root: tuple[str, ...] = (),
    repeatable: bool = False,
    command_line_only: bool = False,
) -> Any:
    """A dataclass field for an option; its name is the attribute's with dashes."""
    return field(metadata={_METADATA: Row(kind, default, doc, without_root, repeatable, command_line_only)})


def options_of(settings: type[Any]) -> dict[str, Option]:
    """The options of a settings class by name, in the order written there."""
    rows = (
        Option(item.name.replace("_", "-"), item.name, item.metadata[_METADATA])
        for item in fields(settings)
        if _METADATA in item.metadata
    )
    return {row.name: row for row in rows}

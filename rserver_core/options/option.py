"""One row of an option table."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rserver_core.options.kinds import Kind, NotAllowed


class Row(NamedTuple):
    """What is said of an option besides its name. Defaults are texts as in a file.

    without_root: defaults for an ordinary user, the first one that can be read counts; empty: the same as for root.
    """

    kind: Kind
    default: str
    doc: str
    without_root: tuple[str, ...] = ()
    repeatable: bool = False
    command_line_only: bool = False


class Option(NamedTuple):
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
    """What stands for an option in its named tuple of settings; its name is the attribute's with dashes."""
    return Row(kind, default, doc, without_root, repeatable, command_line_only)


def options_of(settings: Any) -> dict[str, Option]:
    """The options of a settings class by name, in the order written there."""
    rows = (Option(name.replace("_", "-"), name, row) for name, row in settings._field_defaults.items())
    return {row.name: row for row in rows}

"""What is written of an option table: --help, the commented sample file and the reference page."""

import textwrap
from collections.abc import Iterator
from typing import Any

from rserver_core.options.kinds import Flag, Integer
from rserver_core.options.option import Option
from rserver_core.options.table import OptionTable

_WIDTH = 100
_REFERENCE_INTRO = """\
{about}
Options are read from `{conf}` in `/etc/rstudio` (or the directory that `RSTUDIO_CONFIG_DIR` names) and from the command
line, which wins. One `key=value` a line; a comment starts with `#` at the start of a line or after a space; switches
are `1` or `0`. All errors are reported at once, and then nothing is started.
"""


def help_text(table: OptionTable[Any]) -> str:
    """The answer to --help."""
    lines = [
        f"usage: {table.program} [--OPTION=VALUE ...] [--test-config]",
        "",
        table.about,
        "",
        f"Every option may also stand in {table.conf_name} (in RSTUDIO_CONFIG_DIR or /etc/rstudio) as OPTION=VALUE;",
        "the command line wins. --test-config checks the configuration, says all that is wrong with it, and ends.",
    ]
    for title, options in sections(table):
        lines += ["", title]
        for option in options:
            lines.append(f"  --{option.name}={_metavariable(option)}")
            lines += textwrap.wrap(_sentences(option), _WIDTH, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"


def sample_file(table: OptionTable[Any]) -> str:
    """A file with every option commented out at its default."""
    lines = [
        f"# {table.conf_name}: options of {table.program}, one key=value a line.",
        "# Every line below shows a default; take the # away and change the value to set another.",
    ]
    for title, options in sections(table):
        in_file = [option for option in options if not option.row.command_line_only]
        if in_file:
            lines += ["", f"## {title}"]
        for option in in_file:
            lines += ["", *textwrap.wrap(_sentences(option), _WIDTH, initial_indent="# ", subsequent_indent="# ")]
            lines.append(f"#{option.name}={option.row.default}")
    return "\n".join(lines) + "\n"


def reference_page(table: OptionTable[Any]) -> str:
    """The page in Markdown."""
    lines = [f"# {table.conf_name}", "", *_REFERENCE_INTRO.format(about=table.about, conf=table.conf_name).splitlines()]
    for title, options in sections(table):
        lines += ["", f"## {title}", "", "| option | allowed | default | meaning |", "| --- | --- | --- | --- |"]
        lines += [_table_row(option) for option in options]
    return "\n".join(lines) + "\n"


def sections(table: OptionTable[Any]) -> Iterator[tuple[str, list[Option]]]:
    """The options in the groups in which they are shown, each with its title."""
    title, group = "", list[Option]()
    for option in table.options.values():
        if option.name in table.sections:
            if group:
                yield title, group
            title, group = table.sections[option.name], []
        group.append(option)
    yield title, group


def _metavariable(option: Option) -> str:
    if isinstance(option.row.kind, Flag):
        return "0|1"
    return "N" if isinstance(option.row.kind, Integer) else "VALUE"


def _sentences(option: Option) -> str:
    row = option.row
    parts = [row.doc, f"Allowed: {row.kind.allowed}."]
    if row.repeatable:
        parts.append("May be given several times.")
    if row.default:
        parts.append(f"Default: {_defaults(option, '')}.")
    return " ".join(parts)


def _defaults(option: Option, quote: str) -> str:
    row = option.row
    default = f"{quote}{row.default}{quote}" if row.default else ""
    if not row.without_root:
        return default
    return f"{default}, without root " + ", else ".join(f"{quote}{text}{quote}" for text in row.without_root)


def _table_row(option: Option) -> str:
    row = option.row
    name = f"`--{option.name}`" if row.command_line_only else f"`{option.name}`"
    allowed = row.kind.allowed + ("; may be given several times" if row.repeatable else "")
    return f"| {name} | {allowed} | {_defaults(option, '`')} | {row.doc} |".replace("|  |", "| |")

"""The reference page of the file `profiles`, and the commented sample."""

import textwrap

from rserver_core.profiles.keys import KEYS

_INTRO = """\
What users and groups may have: sessions, an R, memory, processors. The file `profiles` lies in `/etc/rstudio` (or the
directory that `RSTUDIO_CONFIG_DIR` names). Sections are `[*]` for everybody, `[@group]` for the members of a group,
primary or secondary, and `[user]`; what is said later in the file wins, key by key. A comment starts with `#` at the
start of a line or after a space. An error stops the start of the server (exit code 2, as with `--test-config`); at a
reload it is logged and what counted before goes on to count. Accounts, groups, R versions and processors that are not
on this machine are warnings, in the log and of `--test-config`. A new profile counts for sessions that are started from
then on.

How the limits are held is told in [Limits of sessions](../explanation/limits.md), how to set them in
[Limit what sessions use](../how-to/limit-resources.md)."""
_SAMPLE = """\
# profiles: what users and groups may have. Sections: [*] everybody, [@group], [user]; what comes later wins.
# All that is possible is told in docs/reference/profiles.md; nothing below counts before its # is taken away.

#[*]"""


def reference_page() -> str:
    """The page in Markdown."""
    head = ["# profiles", "", _INTRO, "", "| key | allowed | without it | meaning |", "| --- | --- | --- | --- |"]
    rows = [f"| `{key.name}` | {key.row.kind.allowed} | {key.row.default} | {key.row.doc} |" for key in KEYS.values()]
    return "\n".join([*head, *rows, "", "## Example", "", "```ini", _EXAMPLE, "```", ""])


def sample_file() -> str:
    """A file that says nothing yet."""
    lines = [_SAMPLE]
    for key in KEYS.values():
        text = f"{key.row.doc} Allowed: {key.row.kind.allowed}."
        lines += ["", *textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# "), f"#{key.name}="]
    return "\n".join(lines) + "\n"


_EXAMPLE = """\
[*]
max-memory-mb = 4096
max-cpus = 2
max-processes = 500
session-limit = 3

[@statistics]
max-memory-mb = 16384
max-cpus = 8

[ann]
session-limit = 0
nice = 5"""

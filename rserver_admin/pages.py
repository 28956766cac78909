"""What is written of the verbs: the usage and the reference page."""

import re
import textwrap
from collections.abc import Iterable

from rserver_admin.verb import Verb

_WIDTH = 100
_HEAD = "usage: rstudio-server VERB [PID|ID] [--json] [--OPTION=VALUE ...]"
_OPTIONS = (
    "Options are those of rserver, to say which server is meant (--server-data-dir=..., --config-file=...) or how it "
    "is started. The configuration is read from RSTUDIO_CONFIG_DIR or /etc/rstudio. --json answers for a program."
)
_INTRO = """\
# The `rstudio-server` command

```
{head}
```

The verbs of RStudio Server, for this server. Which server is meant says its configuration: `rserver.conf` in
`/etc/rstudio`, or in the directory that `RSTUDIO_CONFIG_DIR` names, or options of `rserver` on the command line
(`--server-data-dir=/run/rstudio-test`). Only root may use it, and every user for a server of their own that they
[run without root](../how-to/run-without-root.md). Where systemd runs and has the unit `rserver`, `start`, `stop` and
`restart` are those of the unit; with options, or with `RSTUDIO_CONFIG_DIR`, they are not.

| verb | what it does |
| --- | --- |
"""
_CODES = """
## Exit codes

| code | meaning |
| --- | --- |
| 0 | done; `status`: it runs |
| 1 | not done, the message says why; `diagnose`: something is wrong |
| 2 | unknown verb or option, an operand too many or too few, or the configuration cannot be used |
| 3 | `status`, `diagnose`: it does not run |
| other | `start`, `restart`: that of [rserver](../how-to/configure.md) or of systemctl |

## Answers to `--json`

One JSON object on standard output, with the same exit code. What was not done is `{"error"}`. Sizes are in bytes,
times in seconds since 1970, durations in seconds.

| verb | object |
| --- | --- |
"""


def usage(verbs: Iterable[Verb]) -> str:
    """The answer to --help."""
    lines = [_HEAD, ""]
    for verb in verbs:
        lines.append(f"  {_call(verb)}")
        lines += textwrap.wrap(_plain(verb.doc), _WIDTH, initial_indent="      ", subsequent_indent="      ")
    return "\n".join([*lines, "", *textwrap.wrap(_OPTIONS, _WIDTH)]) + "\n"


def reference_page(verbs: Iterable[Verb]) -> str:
    """The page in Markdown."""
    rows = list(verbs)
    table = [f"| `{_escaped(_call(verb))}` | {_escaped(verb.doc)} |" for verb in rows]
    answers = [f"| `{verb.name}` | {_escaped(verb.json)} |" for verb in rows]
    return _INTRO.format(head=_HEAD) + "\n".join(table) + "\n" + _CODES + "\n".join(answers) + "\n"


def _call(verb: Verb) -> str:
    return " ".join([verb.name, *filter(None, [verb.operand]), *(f"[--{name}=…]" for name in verb.options)])


def _plain(text: str) -> str:
    return re.sub("`", "", text)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")

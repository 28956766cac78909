"""The reference page of the faults, in Markdown."""

from rserver_diagnose.faults import FAULTS
from rserver_diagnose.finding import Fault

_INTRO = """\
# What reverse proxies do wrong

```
rstudio-server diagnose --url https://r.example.org/r/ [--connect HOST:PORT] [--ca-file FILE] [--seconds N] [--json]
```

looks at the running server from outside, through everything in front of it, and names what it finds with the line
to change. It must be typed on the server's own machine by root (or by who runs a server of their own), where the
address is reached as people reach it; where it is not, `--connect` says where the proxy is. Members of
`admin-group` find the same at `/admin/diagnose`, for the address in their browser.

It asks for pages, sets a cookie, opens a WebSocket, lets connections be silent for `--seconds` (35; a proxy must
bear 30 s), announces large bodies without sending them, and has events sent one by one. The server answers these
questions only to who shows a token that is signed with a key of root's and holds for ten minutes; everybody else
sees pages as always. Sessions are not touched.

| exit code | meaning |
| --- | --- |
| 0 | all is well; there may be notes |
| 1 | something is wrong |
| 2 | the command line, or a file named in it |
| 3 | the server does not run |

`--json` prints `{"ok", "url", "direct", "proxy", "findings": [{"code", "grave", "cause", "effect", "evidence",
"mend"}]}`; `mend` has lines by name of the proxy, and one named `everywhere`. Findings that are not `grave` are
notes.

nginx and HAProxy pass on at once what they compress, unless something else holds it back.

"""


def reference_page() -> str:
    """The page."""
    return _INTRO + "\n".join(map(_section, FAULTS))


def _section(fault: Fault) -> str:
    rows = [f"## {fault.code}", "", f"{fault.cause}{'' if fault.grave else ' (a note)'}. {fault.effect}", ""]
    rows += [f"- {fault.everywhere[:1].upper()}{fault.everywhere[1:]}."] if fault.everywhere else []
    rows += [f"- {_NAMES[name]}: {_line(line)}" for name, line in fault.lines.items()]
    return "\n".join(rows).rstrip() + "\n"


_NAMES = {"nginx": "nginx", "apache": "Apache", "haproxy": "HAProxy", "traefik": "Traefik"}


def _line(text: str) -> str:
    return text if text.startswith("nothing") else f"`{text}`"

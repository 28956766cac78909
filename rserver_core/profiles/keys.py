"""The keys of the file `profiles`: one table for parser, sample and reference page."""

from rserver_core.options.kinds import Flag, Integer, Text
from rserver_core.options.option import Option, Row
from rserver_core.profiles.kinds import Processors, Share

# R itself needs about 60 megabytes, a handful of threads, and refuses to start with fewer than about 190 files.
_LEAST_MEGABYTES, _LEAST_PROCESSES, _LEAST_FILES = 100, 16, 256
_VERSION = Text("a version of R, a label or a path of r-versions", r"[A-Za-z0-9._/ ()+-]{1,200}")

# In place of a default: what counts when no section says it.
_ROWS = {
    "session-limit": Row(
        Integer(0, 1000),
        "`session-limit` of rserver.conf",
        "Sessions that a user may have, suspended ones included; 0: no limit.",
    ),
    "session-timeout-minutes": Row(
        Integer(0, 525600),
        "`session-timeout-minutes` of rsession.conf",
        "Minutes after which a session that nobody uses is suspended; 0: never.",
    ),
    "session-timeout-kill-hours": Row(
        Integer(0, 8760),
        "`session-timeout-kill-hours` of rsession.conf",
        "Hours after which a session that nobody uses is ended, whatever it does; 0: never.",
    ),
    "r-version": Row(_VERSION, "the server's own", "The R that a session gets for which nothing else was chosen."),
    "r-versions-multiple": Row(
        Flag(), "`r-versions-multiple` of rserver.conf", "Whether a user may choose another R; 0: r-version, always."
    ),
    "max-memory-mb": Row(
        Integer(_LEAST_MEGABYTES, 1 << 24),
        "no limit",
        "Megabytes (of 1,048,576 bytes) of memory for a session and all that it starts. "
        "A program that needs more is ended.",
    ),
    "max-cpus": Row(
        Share(), "no limit", "Processors that a session and all that it starts may keep busy together; 1.5 is allowed."
    ),
    "max-processes": Row(
        Integer(_LEAST_PROCESSES, 4194304),
        "no limit",
        "Processes and threads that a session may have at a time; R alone has about six.",
    ),
    "max-open-files": Row(
        Integer(_LEAST_FILES, 1 << 20), "the account's own", "Files that each process may have open."
    ),
    "nice": Row(Integer(-20, 19), "0", "Who goes first when processors are scarce: the higher the number, the later."),
    "cpu-affinity": Row(
        Processors(),
        "all",
        "Processors, counted from 1, that a session runs on. A user can undo this, unlike max-cpus.",
    ),
}
KEYS = {name: Option(name, name.replace("-", "_"), row) for name, row in _ROWS.items()}

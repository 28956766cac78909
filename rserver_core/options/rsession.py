"""Options of `rsession`, in rsession.conf and on its command line."""

from dataclasses import dataclass

from rserver_core.options.kinds import Choice, Flag, Integer, Path, Text
from rserver_core.options.option import option
from rserver_core.options.table import OptionTable

_SESSION_ID = Text("8 or 21 hexadecimal digits", r"[0-9a-f]{8}|[0-9a-f]{21}")


@dataclass(frozen=True, slots=True)
class RsessionSettings:
    """Every option of rsession with its value."""

    config_file: str = option(
        Path(empty=True),
        "",
        "Read this file instead of rsession.conf in the configuration directory.",
        command_line_only=True,
    )
    session_id: str = option(_SESSION_ID, "00000000", "Name of this session in URLs and files.", command_line_only=True)
    server_uid: int = option(
        Integer(-1, 4294967294),
        "-1",
        "User who may connect besides the session's own: the server's. -1: nobody else.",
        command_line_only=True,
    )
    listen_fd: int = option(
        Integer(3, 1023), "3", "Inherited Unix socket, bound and not yet listening.", command_line_only=True
    )
    memory_event_fd: int = option(
        Integer(-1, 1023),
        "-1",
        "Inherited eventfd that counts when memory runs short. -1: there is none.",
        command_line_only=True,
    )
    r_run_rprofile: bool = option(
        Flag(), "1", "0: start without the site's and the user's profile.", command_line_only=True
    )
    r_restore_workspace: bool = option(Flag(), "1", "0: start without loading .RData.", command_line_only=True)
    project: str = option(
        Path(empty=True), "", "Folder of the project to open, or its .Rproj file.", command_line_only=True
    )
    create_project: bool = option(
        Flag(), "0", "1: make the project's folder and file when they are missing.", command_line_only=True
    )
    session_default_working_dir: str = option(Path(), "~", "Working directory of a new session.")
    session_default_new_project_dir: str = option(Path(), "~", "Folder in which new projects are made.")
    session_first_project_template_path: str = option(
        Path(empty=True), "", "Project that each user gets a copy of, once, in session-default-new-project-dir."
    )
    session_save_action_default: str = option(
        Choice(("no", "yes", "ask")), "no", "Whether `q()` saves the objects to .RData in the working directory."
    )
    session_timeout_minutes: int = option(
        Integer(0, 525600),
        "120",
        "Minutes after which the server suspends a session that nobody uses and in which R is idle. 0: never.",
    )
    session_checkpoint_minutes: int = option(
        Integer(0, 1440), "5", "Minutes of work after which the objects are saved against a crash. 0: never."
    )
    session_workspace_limit_mb: int = option(
        Integer(0, 1 << 24),
        "0",
        "Megabytes of objects that a session may keep when it is suspended. 0: as many as fit.",
    )
    session_workspace_compression: str = option(
        Choice(("lz4", "none")), "lz4", "Whether kept objects are compressed where that makes them smaller."
    )


RSESSION = OptionTable(
    "rsession",
    "rsession.conf",
    RsessionSettings,
    "One R session: R inside, HTTP on a Unix socket outside. Started by the server, as the user.",
    {
        "config-file": "Given by the server",
        "session-default-working-dir": "Session",
        "session-timeout-minutes": "Keeping objects",
    },
)

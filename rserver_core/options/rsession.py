"""Options of `rsession`, in rsession.conf and on its command line."""

from typing import NamedTuple

from rserver_core.options.kinds import Choice, Flag, Integer, Path, Text, Variables
from rserver_core.options.option import option
from rserver_core.options.table import OptionTable

_SESSION_ID = Text("8 or 21 hexadecimal digits", r"[0-9a-f]{8}|[0-9a-f]{21}")


class RsessionSettings(NamedTuple):
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
    choose_r: bool = option(
        Flag(),
        "0",
        "1: print the variables of the R that the project wants, as shell code, and end.",
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
    remote: bool = option(
        Flag(), "0", "1: serve programs too, which run code and move objects and files.", command_line_only=True
    )
    websocket_ping_seconds: int = option(
        Integer(0, 3600),
        "30",
        "Seconds between signs of life on the event stream, for proxies that end silent connections. 0: none.",
    )
    session_default_working_dir: str = option(Path(), "~", "Working directory of a new session.")
    session_default_new_project_dir: str = option(Path(), "~", "Folder in which new projects are made.")
    session_first_project_template_path: str = option(
        Path(empty=True), "", "Project that each user gets a copy of, once, in session-default-new-project-dir."
    )
    session_save_action_default: str = option(
        Choice(("ask", "yes", "no")),
        "ask",
        "Whether `q()` saves the objects to .RData in the working directory, where user and project do not say.",
    )
    session_timeout_minutes: int = option(
        Integer(0, 525600),
        "120",
        "Minutes after which a session is suspended that nobody uses and in which R is idle, also when its page is "
        "open. 0: never.",
    )
    session_timeout_suspend: bool = option(
        Flag(), "1", "0: after that time R is quit, without saving, instead of being suspended."
    )
    session_disconnected_timeout_minutes: int = option(
        Integer(0, 525600), "0", "The same for a session of which no page is open. 0: never."
    )
    session_timeout_kill_hours: int = option(
        Integer(0, 8760),
        "0",
        "Hours after which a session that nobody uses is killed, also while R works and whatever stands against a "
        "suspension. Its objects are kept as of its last checkpoint. 0: never.",
    )
    session_timeout_warning_seconds: int = option(
        Integer(0, 3600),
        "120",
        "Seconds before the end by a time-out in which the page of the session says so (before a kill five times as "
        "many), at most half of the time-out.",
    )
    session_connections_block_suspend: bool = option(
        Flag(), "1", "0: a session is suspended though connections of R are open; they are lost."
    )
    session_external_pointers_block_suspend: bool = option(
        Flag(), "1", "0: a session is suspended though objects are connected to something outside of R."
    )
    session_suspend_on_incomplete_statement: bool = option(
        Flag(), "0", "1: a session is suspended though a statement at the console is not complete; its begin is lost."
    )
    session_quit_child_processes_on_exit: bool = option(
        Flag(),
        "0",
        "0: processes that R has started stand against a suspension. 1: they do not, and are asked to end before R "
        "does. What is left when R has ended is ended in either case.",
    )
    session_rprofile_on_resume_default: bool = option(
        Flag(), "0", "1: the user's .Rprofile is run also when a suspended session comes back."
    )
    session_ephemeral_env_vars: tuple[str, ...] = option(
        Variables(),
        "",
        "Environment variables that are not set again when a suspended session comes back, with colons between them.",
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
    project_sharing_enumerate_server_users: bool = option(
        Flag(),
        "1",
        "1: who shares a project can search the accounts of the machine; 0: the list is hidden, and names must be "
        "typed as they are.",
    )


RSESSION = OptionTable(
    "rsession",
    "rsession.conf",
    RsessionSettings,
    "One R session: R inside, HTTP on a Unix socket outside. Started by the server, as the user.",
    {
        "config-file": "Given by the server",
        "session-default-working-dir": "Session",
        "session-timeout-minutes": "Sessions that nobody uses",
        "session-checkpoint-minutes": "Keeping objects",
        "project-sharing-enumerate-server-users": "Shared projects",
    },
)

"""Options of `rsession`, in rsession.conf and on its command line."""

from dataclasses import dataclass

from rserver_core.options.kinds import Choice, Flag, Integer, Path, Text
from rserver_core.options.option import option
from rserver_core.options.table import OptionTable


@dataclass(frozen=True, slots=True)
class RsessionSettings:
    """Every option of rsession with its value."""

    config_file: str = option(
        Path(empty=True),
        "",
        "Read this file instead of rsession.conf in the configuration directory.",
        command_line_only=True,
    )
    session_id: str = option(
        Text("21 hex digits", r"[0-9a-f]{21}|"), "", "Id of this session, as in its URL.", command_line_only=True
    )
    server_uid: int = option(
        Integer(0, 4294967294),
        "0",
        "The uid that may connect besides the session's own: the server's.",
        command_line_only=True,
    )
    r_run_rprofile: bool = option(
        Flag(),
        "1",
        "0: start without the user's and the site's profile, as the failure page offers.",
        command_line_only=True,
    )
    r_restore_workspace: bool = option(
        Flag(), "1", "0: start without restoring .RData, as the failure page offers.", command_line_only=True
    )
    session_default_working_dir: str = option(Path(), "~", "Working directory of a new session.")
    session_save_action_default: str = option(
        Choice(("no", "yes", "ask")), "no", "Whether q() saves the workspace to .RData."
    )


RSESSION = OptionTable(
    "rsession",
    "rsession.conf",
    RsessionSettings,
    "One R session: R inside, HTTP on a Unix socket outside. Started by the server, as the user.",
    {"config-file": "Command line", "session-default-working-dir": "Session"},
)

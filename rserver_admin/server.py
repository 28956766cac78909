"""The server that a configuration describes: its directories, its process if it runs, its sessions."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rserver_admin.server_process import ServerProcess, holder_of, process_of, waits_to_be_reaped
from rserver_core import conf_file
from rserver_core.conf_file import Entry
from rserver_core.config_errors import ConfigError, ConfigErrors
from rserver_core.launch_wire import SessionRecord
from rserver_core.options.command_line import CONFIG_FILE, entries, load
from rserver_core.options.rserver import RSERVER, RserverSettings
from rserver_process import server_note
from rserver_process.process_table import is_alive
from rserver_process.run_records import RunRecords

_WHERE = ("server-data-dir", "server-lib-dir", "server-pid-file", "auth-none")


class Server:
    """One server, running or not."""

    def __init__(self, settings: RserverSettings) -> None:
        self.settings = settings
        self.run_dir, self.lib_dir = Path(settings.server_data_dir), Path(settings.server_lib_dir)
        self.pid_file = Path(settings.server_pid_file) if settings.server_pid_file else self.run_dir / "rserver.pid"

    def process(self) -> ServerProcess | None:
        """Its master, when it runs, also when its run directory was removed."""
        return holder_of(self.pid_file) or self._noted()

    def _noted(self) -> ServerProcess | None:
        try:
            is_owners = self.lib_dir.stat().st_uid == os.geteuid()
        except OSError:
            return None
        # Whoever owns the directory could name any process in the note.
        pid = server_note.master_of(str(self.lib_dir), str(self.run_dir)) if is_owners else None
        return process_of(pid) if pid else None

    def sessions(self) -> list[SessionRecord]:
        """The sessions that run, oldest first; they may do so without the server."""
        with contextlib.suppress(FileNotFoundError):
            found = [record for record in RunRecords(str(self.run_dir)).records() if _runs(record)]
            return sorted(found, key=lambda record: record.started)
        return []


def settings_of(options: Sequence[str], environ: Mapping[str, str]) -> RserverSettings:
    """The settings; a configuration that cannot be used still tells where the server is.

    ConfigErrors when the command line is wrong or one of the directories cannot be read.
    """
    try:
        return load(RSERVER, options, environ)
    except ConfigErrors as errors:
        if any(error.place == "command line" for error in errors.errors):
            raise
    given = {entry.key: entry.value for entry in entries(options) if isinstance(entry, Entry)}
    path = given.pop(CONFIG_FILE, os.path.join(conf_file.directory(environ), RSERVER.conf_name))
    named = {**_entries_of(path), **given}
    kept = [f"--{name}={value}" for name, value in named.items() if name in _WHERE]
    return load(RSERVER, [f"--{CONFIG_FILE}={os.devnull}", *kept], environ)


def _entries_of(path: str) -> dict[str, str]:
    text = conf_file.read(path)
    found = () if isinstance(text, ConfigError) else conf_file.parse(text, path)
    return {entry.key: entry.value for entry in found if isinstance(entry, Entry)}


def _runs(record: SessionRecord) -> bool:
    # Its keeper leaves an ended process unreaped while it clears away what that left behind.
    return is_alive(record.pid, record.pid_start) and not waits_to_be_reaped(record.pid)

"""Accounts, directories and files of this server, resolved from the settings before anything is started."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from rserver.supervisor.directories import Owner, make_directory
from rserver.supervisor.exit_codes import ExitCode, StartRefused
from rserver_core.options.rserver import RserverSettings

# A Unix socket's address is 108 bytes with the final NUL; below the run directory comes /sessions/<21 digits>.sock
MAX_RUN_DIR = 107 - len("/sessions/") - 21 - len(".sock")


@dataclass(frozen=True, slots=True)
class Places:
    """Where this server keeps what, and who its worker is. single_user: without root everything is the user's own.

    shared_storage: what users of the server share; None: projects are not shared here.
    """

    run_dir: Path
    lib_dir: Path
    worker: Owner
    user: str
    single_user: bool
    shared_storage: Path | None = None

    @classmethod
    def resolve(cls, settings: RserverSettings) -> "Places":
        """StartRefused when accounts or paths do not fit."""
        run_dir = Path(settings.server_data_dir)
        if len(os.fsencode(run_dir)) > MAX_RUN_DIR:
            raise StartRefused(ExitCode.CONFIGURATION, f"server-data-dir is longer than {MAX_RUN_DIR} bytes: {run_dir}")
        single_user = os.geteuid() != 0
        entry = _own_account() if single_user else _account(settings.server_user)
        owner = Owner(entry.pw_uid, os.getegid() if single_user else entry.pw_gid)
        storage = None if single_user else shared_storage(settings)
        return cls(run_dir, Path(settings.server_lib_dir), owner, entry.pw_name, single_user, storage)

    def make(self) -> None:
        """Make the directories. What root reads again, as keys and records, never lies where the worker can write."""
        own = Owner(os.geteuid(), os.getegid())
        outside = 0o700 if self.single_user else 0o755
        make_directory(self.run_dir, outside, own)
        make_directory(self.lib_dir, outside, own)
        for name in ("audit", "db"):
            make_directory(self.lib_dir / name, 0o700, self.worker)
        if self.shared_storage is not None and not self.shared_storage.is_dir():
            make_directory(self.shared_storage, 0o755, self.worker)


def shared_storage(settings: RserverSettings) -> Path | None:
    """What users of the server share; None when projects cannot be shared."""
    if not settings.server_project_sharing:
        return None
    return Path(settings.server_shared_storage_path or Path(settings.server_lib_dir, "shared-storage"))


def _account(name: str) -> pwd.struct_passwd:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise StartRefused(
            ExitCode.CONFIGURATION,
            f"server-user {name}: no such account; useradd --system --user-group {name} makes it",
        ) from None
    if entry.pw_uid == 0:
        raise StartRefused(
            ExitCode.CONFIGURATION, f"server-user {name} is root: the worker must be an account without rights"
        )
    return entry


def _own_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StartRefused(ExitCode.CONFIGURATION, f"uid {os.geteuid()} has no account on this machine") from None

"""How sessions are started on this server: the same for every session of one Keepers."""

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PASSED_ON = ("RSTUDIO_CONFIG_DIR", "LANG", "LC_ALL", "TZ", "TMPDIR")
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """run_script runs program (argv) followed by the options of the launch spec; times in seconds.

    server_gid: group that may connect to the sockets (the worker's). environment: base variables of every session.
    preload: sessions are forked from a process that has started R already, that of which_r (empty: the first found).
    """

    run_script: str
    program: tuple[str, ...]
    minimum_uid: int = 1000
    server_gid: int = field(default_factory=os.getegid)
    environment: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o022
    preload: bool = False
    which_r: str = ""
    launch_limit: float = 60.0
    most_launching: int = 16

    @classmethod
    def from_options(cls, options: Mapping[str, Any], environ: Mapping[str, str]) -> "KeeperSettings":
        """From the resolved options of rserver.conf (dashed names); KeyError when one is missing.

        environ: this process's variables, of which sessions get the configuration directory, language and time zone.
        """
        program = options["rsession-path"]
        return cls(
            run_script=os.path.join(_HERE, "rsession_run.sh"),
            program=(program,) if program else installed_rsession(),
            minimum_uid=options["auth-minimum-user-id"],
            server_gid=_server_gid(options["server-user"]),
            preload=options.get("rsession-preload", False) and not program,
            which_r=options.get("rsession-which-r", ""),
            environment={name: environ[name] for name in _PASSED_ON if name in environ},
        )


def installed_rsession() -> tuple[str, ...]:
    """The rsession beside this package, isolated from the user's own Python settings."""
    return (sys.executable, "-I", "-S", os.path.join(_HERE, "rsession", "__main__.py"))


def _server_gid(account: str) -> int:
    if os.geteuid() != 0:
        return os.getegid()
    return pwd.getpwnam(account).pw_gid

"""`rserver`: checks the configuration, then runs the master, under the guard unless a service manager watches it."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rserver_core.options.rserver import RserverSettings

_HERE = Path(__file__).resolve()

if __package__ in {None, ""}:
    # Run as a file with -I -S, which leaves only the standard library on the path.
    sys.path.insert(0, str(_HERE.parent.parent))


def main() -> int:
    """The command; its exit code (docs/reference)."""
    if not (sys.flags.isolated and sys.flags.no_site):
        # Neither PYTHON* variables nor site-packages may bring code into a process that may be root.
        os.execv(sys.executable, [sys.executable, "-I", "-S", str(_HERE), *sys.argv[1:]])
    from rserver_core.checked_files import CHECKED_FILES
    from rserver_core.options.command_line import load_or_exit
    from rserver_core.options.rserver import RSERVER
    from rserver_core.options.rsession import RSESSION

    settings = load_or_exit(
        RSERVER, sys.argv[1:], os.environ, also=(RSESSION,), files=CHECKED_FILES, warnings=_warnings
    )
    if (refusal := _misfit(settings)) is not None:
        print(f"rserver: {refusal}", file=sys.stderr)
        return 2
    return _run(settings, sys.argv[1:])


def _warnings(settings: "RserverSettings", environ: Mapping[str, str]) -> Sequence[str]:
    """What --test-config says of files that can be read; ConfigErrors when their certificates cannot be used."""
    from rserver.supervisor import tls_check
    from rserver_core.server_warnings import warnings

    return [*tls_check.check(settings), *warnings(settings, environ)]


def _misfit(settings: "RserverSettings") -> str | None:
    """Why this account cannot serve like that."""
    root = os.geteuid() == 0
    if root and settings.auth_none:
        return (
            "auth-none=1 as root would give every visitor root's rights; start the server as an ordinary user instead"
        )
    if not root and not settings.auth_none:
        return "auth-none=0 needs root: without it nobody but you can be signed in"
    return None


def _run(settings: "RserverSettings", argv: list[str]) -> int:
    from rserver.master import serve
    from rserver.supervisor import background
    from rserver.supervisor.guard import Guard

    if settings.server_set_umask:
        os.umask(0o022)
    report = background.go(_log_file(settings)) if settings.server_daemonize else background.stay
    os.chdir(settings.server_working_dir)
    if "INVOCATION_ID" in os.environ:
        return serve(settings, argv, 0, report)
    return Guard(lambda attempt: serve(settings, argv, attempt, report)).run()


def _log_file(settings: "RserverSettings") -> Path:
    """Where a server in the background writes: the machine's to the machine's logs, any other to its own directory."""
    from rserver.supervisor.background import LOG_FILE
    from rserver_core.options.rserver import RSERVER

    usual = RSERVER.options["server-lib-dir"].row.default
    is_the_machines = os.geteuid() == 0 and settings.server_lib_dir == usual
    return LOG_FILE if is_the_machines else Path(settings.server_lib_dir, LOG_FILE.name)


if __name__ == "__main__":
    sys.exit(main())

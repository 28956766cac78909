"""What the master executes for a worker: `python -I -S worker_main.py`, with --listen-fds=N and perhaps others.

--redirect-fds=M: the last M of the N listeners only send who comes to HTTPS. --workers-fd: one more descriptor follows,
to which data workers connect. --rpc-fd: one more, to which sessions connect.
"""

import re
import sys
from pathlib import Path

_OPTIONS = re.compile(
    r"--listen-fds=([0-9]{1,2})(?: --redirect-fds=([0-9]{1,2}))?( --workers-fd)?( --rpc-fd)?", re.ASCII
)


def library_folders() -> list[str]:
    """Where our packages and those that we need lie: -S left them out, so that nothing runs by chance."""
    ours = str(Path(__file__).resolve().parent.parent)
    environment = Path(sys.executable).parent.parent
    if (environment / "pyvenv.cfg").exists():
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return [ours, str(environment / "lib" / version / "site-packages")]
    from site import getsitepackages

    return [ours, *getsitepackages()]


def main(argv: list[str]) -> None:
    """Run the worker."""
    match = _OPTIONS.fullmatch(" ".join(argv))
    if match is None:
        sys.exit(
            "worker_main.py: expected --listen-fds=N [--redirect-fds=M] [--workers-fd] [--rpc-fd]; "
            "it is started by rserver"
        )
    sys.path.extend(library_folders())
    from rserver.app import main as serve

    serve(int(match[1]), int(match[2] or 0), has_workers_fd=bool(match[3]), has_rpc_fd=bool(match[4]))


if __name__ == "__main__":
    main(sys.argv[1:])

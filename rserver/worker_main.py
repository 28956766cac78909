"""What the master executes for a worker: `python -I -S worker_main.py`, with --listen-fds=N and perhaps others.

--redirect-fds=M: the last M of the N listeners only send who comes to HTTPS. --remote-fds=R: R listeners for programs
follow. --workers-fd: one more descriptor follows, to which data workers connect. --rpc-fd: one more, to which sessions
connect.
"""

import re
import sys
from pathlib import Path

_OPTIONS = re.compile(
    r"--listen-fds=([0-9]{1,2})(?: --redirect-fds=([0-9]{1,2}))?(?: --remote-fds=([0-9]{1,2}))?"
    r"( --workers-fd)?( --rpc-fd)?",
    re.ASCII,
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
        expected = "--listen-fds=N [--redirect-fds=M] [--remote-fds=R] [--workers-fd] [--rpc-fd]"
        sys.exit(f"worker_main.py: expected {expected}; it is started by rserver")
    sys.path.extend(library_folders())
    from rserver.app import main as serve

    listen, redirect, remote = (int(match[number] or 0) for number in (1, 2, 3))
    serve(listen, redirect, remote, has_workers_fd=bool(match[4]), has_rpc_fd=bool(match[5]))


if __name__ == "__main__":
    main(sys.argv[1:])

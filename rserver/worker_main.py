"""What the master executes for the worker: `python -I -S worker_main.py --listen-fds=N`."""

import re
import sys
from pathlib import Path

_OPTION = re.compile(r"--listen-fds=([0-9]{1,2})", re.ASCII)


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
    match = _OPTION.fullmatch(argv[0]) if len(argv) == 1 else None
    if match is None:
        sys.exit("worker_main.py: expected --listen-fds=N; it is started by rserver")
    sys.path.extend(library_folders())
    from rserver.app import main as serve

    serve(int(match[1]))


if __name__ == "__main__":
    main(sys.argv[1:])

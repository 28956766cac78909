"""Start of rserver-http as `python3 -I -S <this file> --listen-fds=N --redirect-fds=M`; it speaks on descriptor 3."""

import os
import re
import sys

_OPTIONS = re.compile(r"--listen-fds=([0-9]{1,2}) --redirect-fds=([0-9]{1,2})", re.ASCII)


def main() -> int:
    """The exit code."""
    if not __package__:
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from rserver_http.app import MISUSE, run

    match = _OPTIONS.fullmatch(" ".join(sys.argv[1:]))
    if match is None:
        print("rserver-http: it is started by rserver when server-http=1", file=sys.stderr)
        return MISUSE
    return run(int(match[1]), int(match[2]))


if __name__ == "__main__":
    sys.exit(main())

"""Start of rserver-pam, as a console script or as `python3 -I -S <this file>`, which starts sooner."""

import os
import sys


def main() -> int:
    """The exit code of one password check."""
    if not __package__:
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from rserver_pam.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Taking the interpreter down in order would cost another millisecond of every sign-in.
    os._exit(code)

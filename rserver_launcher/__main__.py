"""Start of rserver-launcher, as a console script or as `python3 -I -S <this file>`; it speaks on descriptor 3."""

import os
import sys


def main() -> int:
    """The exit code."""
    if not __package__:
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from rserver_launcher.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())

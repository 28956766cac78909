"""Start of `rstudio-server`, as a console script or as `python3 -I -S <this file>`."""

import os
import sys

_HERE = os.path.realpath(__file__)

if __package__ in {None, ""}:
    # Run as a file with -I -S, which leaves only the standard library on the path.
    sys.path.insert(0, os.path.dirname(os.path.dirname(_HERE)))


def main() -> int:
    """The command; its exit code (docs/reference/rstudio-server.md)."""
    if not (sys.flags.isolated and sys.flags.no_site):
        # Neither PYTHON* variables nor site-packages may bring code into a process that is most often root.
        os.execv(sys.executable, [sys.executable, "-I", "-S", _HERE, *sys.argv[1:]])
    from rserver_admin.app import run

    return run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())

"""Start of a template, as `python3 -I -S <this file>`; it speaks on descriptor 3, only rserver starts it."""

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _add_module_paths() -> None:
    """As in a session: without the `site` module the places of modules are ours to add."""
    sys.path.insert(0, _ROOT)
    environment = os.path.dirname(os.path.dirname(sys.executable))
    if os.path.isfile(f"{environment}/pyvenv.cfg"):
        sys.path.append(f"{environment}/lib/python3.{sys.version_info.minor}/site-packages")
    else:
        import site

        site.main()


def main() -> int:
    """The exit code."""
    if sys.flags.no_site:
        _add_module_paths()
    from rserver_template.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())

"""Starts a session: R on the main thread at once, the server's modules meanwhile on a second one."""

import _thread
import gc
import os
import sys
from typing import NoReturn

_PACKAGE = os.path.dirname(os.path.realpath(__file__))


def _add_module_paths() -> None:
    """Without the `site` module, which costs more than all our options, the places of modules are ours to add."""
    sys.path.insert(0, os.path.dirname(_PACKAGE))
    environment = os.path.dirname(os.path.dirname(sys.executable))
    if os.path.isfile(f"{environment}/pyvenv.cfg"):
        sys.path.append(f"{environment}/lib/python3.{sys.version_info.minor}/site-packages")
    else:
        import site

        site.main()


def main() -> NoReturn:
    """Run the session; SystemExit when it could not start."""
    if "--choose-r=1" in sys.argv:
        from rsession import choose_r

        sys.exit(choose_r.main(sys.argv[1:], os.environ))
    from rsession import _shim
    from rsession.open_files import make_room

    make_room()
    if os.environ.get("R_HOME"):
        # The linker works on R's library while Python reads our options.
        library = f"{os.environ['R_HOME']}/lib{os.environ.get('R_ARCH', '')}/libR.so"
        _thread.start_new_thread(_shim.preload, (os.fsencode(library),))
    gc.disable()  # nothing that is imported becomes garbage; switched on when the server is ready
    from rsession.launch import launch

    launch()


if __name__ == "__main__":
    if sys.flags.no_site:
        _add_module_paths()
    main()

"""From options and an installed R to a running session."""

import _thread
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from rserver_core.options.command_line import load_or_exit
from rserver_core.options.rsession import RSESSION, RsessionSettings
from rserver_core.r_installation import NoR, RInstallation, find_installation, read_installation
from rsession import _shim
from rsession.claimed_state import claim_state
from rsession.session_lock import LockedElsewhere
from rsession.start import enter_working_directory, prepare_environment, r_arguments, wanted_project

if TYPE_CHECKING:
    from rsession.projects.folder import Project

_STARTED = time.time()
_PACKAGE = os.path.dirname(os.path.realpath(__file__))
_NO_R = 3


def _find_r() -> RInstallation:
    home = os.environ.get("R_HOME")
    if home:
        return read_installation(f"{home}/bin/R")
    return find_installation(path=os.environ.get("PATH", os.defpath))


def _serve(
    settings: RsessionSettings,
    installation: RInstallation,
    project: "Project | None",
    descriptors: tuple[int, int, int, int],
) -> None:
    try:
        _shim.keep_own_locale()
        from rsession.app import serve

        serve(settings, installation, project, descriptors, _STARTED)
    except BaseException as error:
        import traceback

        os.write(descriptors[3], "".join(traceback.format_exception(error)).encode())
    os._exit(1)


def _start_server_thread(
    settings: RsessionSettings,
    installation: RInstallation,
    project: "Project | None",
    descriptors: tuple[int, int, int, int],
) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    _thread.start_new_thread(_serve, (settings, installation, project, descriptors))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _r_sources() -> list[bytes]:
    folder = f"{_PACKAGE}/R"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.fsencode(f"{folder}/{name}") for name in names if name.endswith(".R")]


def launch() -> int:
    """Run the session; returns only when it could not start."""
    settings = load_or_exit(RSESSION, sys.argv[1:], os.environ)
    project = wanted_project(settings)
    try:
        installation = _find_r()
    except NoR as error:
        print(f"rsession: {error}", file=sys.stderr)
        return _NO_R
    prepare_environment(installation)
    try:
        claim_state(os.path.expanduser("~"), settings.session_id)
    except LockedElsewhere as error:
        print(f"rsession: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    enter_working_directory(project.folder if project else settings.session_default_working_dir)
    descriptors = _shim.open()
    _start_server_thread(settings, installation, project, descriptors)
    arguments = [os.fsencode(argument) for argument in r_arguments(settings, project)]
    try:
        _shim.run(os.fsencode(f"{installation.home}/lib/libR.so"), arguments, _r_sources(), settings.listen_fd)
    except OSError as error:
        os.write(descriptors[3], f"rsession: R cannot be loaded: {error}\n".encode())
    os._exit(_NO_R)

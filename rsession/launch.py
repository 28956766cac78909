"""From options and an installed R to a running session."""

import _thread
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from rserver_core.options.command_line import load_or_exit
from rserver_core.options.rsession import RSESSION
from rserver_core.r_installation import NoR, RInstallation, read_home
from rsession import _shim, temporary_note
from rsession.claimed_state import claim_state
from rsession.r_version import take_from_environment
from rsession.session_lock import LockedElsewhere
from rsession.spare_state import CannotTakeAlong
from rsession.start import enter_working_directory, prepare_environment, r_arguments, restart_note, wanted_project

_STARTED = time.time()
_PACKAGE = os.path.dirname(os.path.realpath(__file__))
_NO_R = 3
_HELD_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2)


def find_r() -> RInstallation:
    """The R that the environment names, or the first one on its PATH; NoR."""
    home = os.environ.get("R_HOME")
    if home:
        return read_home(home)
    from rserver_core.r_scan import find_installation  # the server says which R, and R's start waits for this module

    return find_installation(path=os.environ.get("PATH", os.defpath))


def r_sources() -> list[bytes]:
    """Paths of the session's R code."""
    folder = f"{_PACKAGE}/R"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.fsencode(f"{folder}/{name}") for name in names if name.endswith(".R")]


class Launch:
    """A session whose environment and working directory are right: its two halves can start."""

    def __init__(self, argv: Sequence[str], started: float) -> None:
        """argv: options; started: seconds since 1970. SystemExit, with a sentence on stderr, when it cannot be."""
        # Until something heeds them they would end the process; R's thread lets them in.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_SIGNALS)
        self.settings = load_or_exit(RSESSION, argv, os.environ)
        self._started = started
        self._project = wanted_project(self.settings)
        self.installation = _found_r()
        prepare_environment(self.installation)
        self._own = take_from_environment(self.installation, runs_profile=self.settings.r_run_rprofile)
        _claim_state(self.settings.session_id)
        self._trust_project()
        folder = self._project.folder if self._project else self._own_folder()
        note = restart_note(self.settings)
        enter_working_directory((note and note.directory) or folder)
        _shim.note_temporary_folder(temporary_note.NAME, temporary_note.own())

    def _trust_project(self) -> None:
        """A member's git works in the project too."""
        if self._project is None or "RS_SHARING" not in os.environ:
            return
        # Most sessions have no project, and R's start waits for these modules.
        from rsession.sharing.git_trust import git_trust
        from rsession.sharing.people import person_of_uid
        from rsession.sharing.terms import terms_of

        terms, own = terms_of(os.environ), person_of_uid(os.getuid())
        if terms is not None and own is not None:
            writer = self.settings.server_uid
            os.environ.update(git_trust(self._project.folder, terms, writer, own.name, os.environ))

    def _own_folder(self) -> str:
        if not self.settings.remote:
            return self.settings.session_default_working_dir
        from rsession.remote.own_folder import own_folder

        return own_folder(os.path.expanduser("~"), self.settings.session_id)

    def start_server(self) -> tuple[int, int, int, int]:
        """Start the thread of the server; the descriptors of `_shim.open`."""
        descriptors = _shim.open()
        # From here on what they say waits for its reader, should R be there before the reader is.
        _shim.suspend_signals()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        _thread.start_new_thread(self._serve, (descriptors,))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return descriptors

    def r_arguments(self) -> list[bytes]:
        """R's command line."""
        arguments = r_arguments(self.settings, self._project, keeps_site_profile=self._own.has_profile)
        return [os.fsencode(argument) for argument in arguments]

    def _serve(self, descriptors: tuple[int, int, int, int]) -> None:
        try:
            _shim.keep_own_locale()
            from rsession.app import serve

            serve(self.settings, self._own, self._project, descriptors, self._started)
        except BaseException as error:
            import traceback

            os.write(descriptors[3], "".join(traceback.format_exception(error)).encode())
        os._exit(1)


def _found_r() -> RInstallation:
    try:
        return find_r()
    except NoR as error:
        print(f"rsession: {error}", file=sys.stderr)
        raise SystemExit(_NO_R) from None


def _claim_state(session_id: str) -> None:
    try:
        claim_state(os.path.expanduser("~"), session_id)
    except LockedElsewhere as error:
        print(f"rsession: {error}", file=sys.stderr)
        raise SystemExit(os.EX_TEMPFAIL) from None
    except CannotTakeAlong as error:
        print(f"rsession: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def launch() -> NoReturn:
    """Run the session."""
    session = Launch(sys.argv[1:], _STARTED)
    descriptors = session.start_server()
    library = os.fsencode(session.installation.library)
    try:
        _shim.run(library, session.r_arguments(), r_sources(), session.settings.listen_fd)
    except OSError as error:
        os.write(descriptors[3], f"rsession: R cannot be loaded: {error}\n".encode())
    os._exit(_NO_R)

"""What a session is in the template's memory: R at its fork point and the session's modules."""

import contextlib
import ctypes
import gc
import importlib
import os
import pkgutil
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn

from rserver_core.launch_wire import LaunchSpec
from rserver_core.r_installation import NoR, RInstallation, read_home
from rserver_process import kernel_files, privileges, signals
from rserver_process.log_line import log_line
from rserver_process.session_start import SessionBegun, SessionPlan, environment_of, execute
from rserver_template import command_line
from rserver_template.login_shell import LoginShell, OtherProcess

if TYPE_CHECKING:
    from rsession.launch import Launch

_NOT_EXECUTED = 127
_READ_AT_EXEC = ("LD_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "MALLOC_", "GLIBC_TUNABLES")


class Body:
    """See `session_start.SessionBody`; in the session's process it holds what that needs to go on."""

    def __init__(self, installation: RInstallation) -> None:
        self._installation = installation
        self._at_exec = _read_at_exec(os.environ)
        self._stack = resource.getrlimit(resource.RLIMIT_STACK)
        self._profile = -1
        self._launch: Launch | None = None
        self._started: tuple[SessionPlan, LaunchSpec, dict[str, str]] | None = None

    @property
    def descriptors(self) -> frozenset[int]:
        """R's profile, which it is reading."""
        return frozenset({self._profile})

    @property
    def sources(self) -> list[bytes]:
        """Files of the session's R code."""
        from rsession.launch import r_sources

        return r_sources()

    @property
    def arguments(self) -> list[bytes]:
        """R's command line until it is a session's."""
        return [b"R", b"--interactive", b"--no-save"]

    def load_modules(self) -> None:
        """Import what sessions import, also what they import late."""
        gc.disable()
        importlib.import_module("rsession.app")  # first: it keeps out what Twisted imports for others
        for name in _module_names():
            importlib.import_module(name)

    def hold(self, profile: int) -> None:
        """R stands at its fork point and reads its profile from this descriptor."""
        self._profile = profile
        os.set_inheritable(profile, False)

    def enter(self, plan: SessionPlan, spec: LaunchSpec, words: int) -> None:
        """See `session_start.SessionBody`: raises SessionBegun with everything but R's part done."""
        environment = environment_of(plan, spec)
        if dict(spec.env).get("R_HOME", self._installation.home) != self._installation.home:
            return
        privileges.dumpable()
        shell = LoginShell(plan.settings.run_script, environment)
        os.close(words)
        self._rehearse(spec, environment)
        command_line.show([*plan.settings.program, *spec.argv])
        with contextlib.suppress(OSError):
            kernel_files.write("/proc/self/comm", "rsession")
        try:
            environment = shell.adopt()
            self._check(environment)
        except OtherProcess as reason:
            _execute(plan, spec, str(reason))
        self._started = plan, spec, environment
        raise SessionBegun

    def _rehearse(self, spec: LaunchSpec, environment: Mapping[str, str]) -> None:
        """While the login scripts run: pages that are written to here are the session's own when it counts."""
        from rserver_core.config_errors import ConfigErrors
        from rserver_core.options.command_line import load
        from rserver_core.options.rsession import RSESSION
        from rsession import _shim

        with contextlib.suppress(ConfigErrors):
            load(RSESSION, spec.argv, environment)
        with contextlib.suppress(NoR):
            read_home(self._installation.home)
        _shim.rehearse()

    def go_on(self) -> tuple[list[bytes], int, int]:
        """Be the session as far as its halves are not concerned; what `_shim.run_template` needs for R's."""
        assert self._started
        _, spec, environment = self._started
        return self.become(spec, environment)

    def become(self, spec: LaunchSpec, environment: Mapping[str, str]) -> tuple[list[bytes], int, int]:
        """The same for a session with this environment; the process is the user's already."""
        from rsession.launch import Launch, find_r

        replace_environment(environment)
        time.tzset()
        with contextlib.suppress(NoR):
            # Without any R the sentence is the session's own.
            if find_r().home != self._installation.home:
                self.give_up("it wants another R")
        try:
            launch = Launch(spec.argv, time.time())
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        self._launch = launch
        return launch.r_arguments(), launch.settings.listen_fd, self._profile

    def begin(self) -> None:
        """R can become this session: start the server's half."""
        from rsession.open_files import make_room

        assert self._launch
        make_room()
        self._launch.start_server()

    def give_up(self, reason: str) -> NoReturn:
        """R cannot become this session: it is executed."""
        assert self._started
        plan, spec, _ = self._started
        _execute(plan, spec, reason)

    def _check(self, environment: Mapping[str, str]) -> None:
        if _read_at_exec(environment) != self._at_exec:
            raise OtherProcess("a library or the loader would read another environment")
        if resource.getrlimit(resource.RLIMIT_STACK)[0] != self._stack[0]:
            raise OtherProcess("it has another limit of its stack")


def _read_at_exec(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are read by the loader and by libraries when they are loaded, so never again here."""
    return {name: value for name, value in environment.items() if value and name.startswith(_READ_AT_EXEC)}


def replace_environment(environment: Mapping[str, str]) -> None:
    """R has set variables that Python has not heard of."""
    os.environ.clear()
    ctypes.CDLL(None).clearenv()
    os.environ.update(environment)


def _module_names() -> Iterator[str]:
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "rsession")
    for module in pkgutil.walk_packages([folder], "rsession."):
        if not module.name.endswith(("__main__", "_shim")):
            yield module.name


def _execute(plan: SessionPlan, spec: LaunchSpec, reason: str) -> NoReturn:
    log_line("rsession", f"starting R the ordinary way: {reason}")
    signals.all_at_default()
    try:
        execute(plan, spec)
    except OSError as error:
        log_line("rsession", f"{error}")
    os._exit(_NOT_EXECUTED)

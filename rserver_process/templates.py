"""The templates of this server, one for each R that sessions ask for."""

import os
import socket

from rserver_core.launch_wire import LaunchSpec
from rserver_core.r_installation import NoR, RInstallation, read_installation
from rserver_core.r_scan import find_installation
from rserver_process import r_files
from rserver_process.event_loop import Loop
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.log_line import log_line
from rserver_process.template import Template
from rserver_process.template_order import TemplateOrder

_MOST = 4
_OWN_START = ("RS_R_VERSIONS", "RSTUDIO_R_MODULE", "RSTUDIO_R_PRELAUNCH_SCRIPT", "RSTUDIO_R_REPO", "R_LIBS_SITE")
"""What R must know, or be chosen by, before it starts."""


class Templates:
    """Starts the template of the usual R at once, the others when a session first wants that R; at most four."""

    def __init__(self, loop: Loop, settings: KeeperSettings, run_dir: str, pam_service: str | None) -> None:
        self._loop, self._settings = loop, settings
        self._run_dir, self._pam_service = run_dir, pam_service
        self._by_home: dict[str, Template | None] = {}
        self._start_usual()

    def fork(self, spec: LaunchSpec) -> tuple[int, socket.socket] | None:
        """Pid of a new keeper whose R the session wants, and our end of the socket to it; None when there is none."""
        env = dict(spec.env)
        if any(name in env for name in _OWN_START):
            return None
        home = env.get("R_HOME", "")
        if home not in self._by_home and len(self._by_home) < _MOST:
            self._by_home[home] = self._started(home)
        template = self._by_home.get(home)
        return template.fork() if template else None

    def close(self) -> None:
        """End the processes; keepers and sessions go on."""
        for template in self._by_home.values():
            if template:
                template.close()

    def _start_usual(self) -> None:
        try:
            installation = find_installation(self._settings.which_r, os.environ.get("PATH", os.defpath))
        except NoR as error:
            log_line("template", f"nothing is preloaded: {error}")
        else:
            self._by_home[installation.home] = self._started(installation.home)

    def _started(self, home: str) -> Template | None:
        """None for what is no R, or one that others can change: who asks for it is not trusted with the choice."""
        installation = _trusted_installation(home)
        if installation is None:
            log_line("template", f"the R in {home[:200]!r} is not preloaded: others can change it, or it is none")
            return None
        order = TemplateOrder(self._settings, self._run_dir, self._pam_service, installation)
        template = Template(self._loop, order)
        template.start()
        return template


def _trusted_installation(home: str) -> RInstallation | None:
    script = f"{home}/bin/R"
    if not home.startswith("/") or r_files.changeable(script):
        return None
    try:
        installation = read_installation(script)
    except NoR:
        return None
    return installation if installation.home == home and not r_files.untrusted(installation) else None

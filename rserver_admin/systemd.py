"""The unit `rserver` of systemd, where there is one."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_UNIT = "rserver"
_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Systemd:
    """How systemd is asked. booted: exists while systemd runs the machine; program: its command."""

    booted: str = "/run/systemd/system"
    program: str = "systemctl"

    def has_unit(self, options: Sequence[str], environ: Mapping[str, str]) -> bool:
        """True when the unit is the server that is meant: options, or another configuration, mean another one."""
        if options or environ.get("RSTUDIO_CONFIG_DIR") or os.geteuid() != 0 or not os.path.isdir(self.booted):
            return False
        return self._ask("cat", "--no-pager") == 0

    def is_active(self) -> bool:
        """True while the unit runs."""
        return self._ask("is-active", "--quiet") == 0

    def do(self, verb: str) -> int:
        """start, stop or restart; systemctl's exit code. What it has to say goes to our standard error."""
        return subprocess.run([self.program, verb, _UNIT], env={"PATH": _PATH}, stdin=subprocess.DEVNULL).returncode

    def _ask(self, *words: str) -> int:
        return subprocess.run(
            [self.program, *words, _UNIT], env={"PATH": _PATH}, stdin=subprocess.DEVNULL, capture_output=True
        ).returncode

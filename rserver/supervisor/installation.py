"""Where our own programs lie and how privileged ones are run: isolated, without site-packages."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

WORKER = ROOT / "rserver" / "worker_main.py"
LAUNCHER = ROOT / "rserver_launcher" / "__main__.py"
HTTP = ROOT / "rserver_http" / "__main__.py"
TLS = ROOT / "rserver" / "tls_main.py"
PAM = ROOT / "rserver_pam" / "__main__.py"
ACLS = ROOT / "rserver_acls" / "__main__.py"
RSESSION = ROOT / "rsession" / "__main__.py"
RSESSION_RUN = ROOT / "rsession_run.sh"

_KEPT = ("RSTUDIO_CONFIG_DIR", "TZ", "LANG", "RSERVER_PROXY")


def python(program: Path) -> list[str]:
    """The argv that runs one of our programs: no environment, no site-packages, no current directory in its way."""
    return [sys.executable, "-I", "-S", str(program)]


def environment(**more: str) -> dict[str, str]:
    """The environment of our own programs: only what is known to be harmless."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **kept, **more}

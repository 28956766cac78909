"""Where things lie in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".make"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python3"
SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = (
    "rserver",
    "rserver_core",
    "rserver_process",
    "rserver_launcher",
    "rserver_http",
    "rserver_pam",
    "rserver_acls",
    "rserver_admin",
    "rserver_template",
    "rsession",
    "filebase",
)

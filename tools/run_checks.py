"""`make check`: every check is run, then those that failed are named."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import web_bundle
from tools.layout import PYTHON, ROOT, VENV

_BIN = VENV / "bin"
_CODE = (
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
    "tests",
    "bench",
    "tools",
)
_PROSE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs", "etc")


def run(arguments: Sequence[str]) -> int:
    """All checks, or those named; 1 when one fails."""
    chosen = [name for name in _checks() if not arguments or name in arguments]
    failed = [name for name in chosen if not _passes(name)]
    print(f"failed: {' '.join(failed)}" if failed else f"{len(chosen)} checks passed", flush=True)
    return 1 if failed else 0


def _checks() -> dict[str, tuple[Path, list[str | Path]]]:
    """Directory and command line by name."""
    spelling = [name for name in (*_CODE, *_PROSE, "ide/src") if (ROOT / name).exists()]
    checks: dict[str, tuple[Path, list[str | Path]]] = {
        "format": (ROOT, [_BIN / "ruff", "format", "--check", "-q", "."]),
        "lint": (ROOT, [_BIN / "ruff", "check", "-q", "."]),
        "types": (ROOT, [_BIN / "mypy"]),
        "imports": (ROOT, [_BIN / "lint-imports"]),
        "spelling": (ROOT, [_BIN / "codespell", *spelling]),
        "generated": (ROOT, [PYTHON, "-m", "tools", "generate", "--check"]),
    }
    if (web_bundle.IDE / "package.json").exists():
        checks["web-check"] = (web_bundle.IDE, web_bundle.npm("run", "--silent", "check"))
        checks["web-test"] = (web_bundle.IDE, web_bundle.npm("run", "--silent", "test"))
    return checks


def _passes(name: str) -> bool:
    directory, argv = _checks()[name]
    environ = {**os.environ, **web_bundle.environment(), "NO_COLOR": "1"}
    done = subprocess.run(
        argv, cwd=directory, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(f"{'ok' if done.returncode == 0 else 'FAILED':8}{name}", flush=True)
    if done.returncode:
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()
    return done.returncode == 0

"""The rstudio-server command as an administrator types it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.system.accounts import Account
from tests.system.running_server import ROOT, RunningServer

_PROGRAM = str(ROOT / "rserver_admin" / "__main__.py")


def rstudio_server(
    *arguments: str, conf: Path | str = "/nonexistent", account: Account | None = None, **env: str
) -> "subprocess.CompletedProcess[str]":
    """The finished command. account: who types it; None: whoever runs the tests."""
    home = {"HOME": str(account.home), "USER": account.name} if account else {}
    return subprocess.run(
        [sys.executable, _PROGRAM, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "RSTUDIO_CONFIG_DIR": str(conf), **home, **env},
        cwd="/",
        timeout=120,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def answer_of(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """What --json printed."""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def places(server: RunningServer) -> tuple[str, str]:
    """The options that say which server is meant."""
    return f"--server-data-dir={server.run_dir}", f"--server-lib-dir={server.lib_dir}"


def ask(server: RunningServer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command for that server."""
    return rstudio_server(*arguments, *places(server), conf=server.directory / "conf")

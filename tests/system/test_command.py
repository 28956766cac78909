"""The rserver command: exit codes and what it says."""

import json
import os
import re
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.running_server import ROOT, RunningServer

pytestmark = pytest.mark.root


def _rserver(*options: str, conf: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "RSTUDIO_CONFIG_DIR": str(conf or "/nonexistent")}
    argv = [sys.executable, str(ROOT / "rserver" / "__main__.py"), "--server-daemonize=0", *options]
    return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=30, check=False)


def test_every_configuration_error_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "rserver.conf").write_text("www-prot=8787\nwww-port=many\n\nnonsense\n")
    done = _rserver("--auth-timeout-minutes=-1", conf=tmp_path)
    assert done.returncode == 2
    for part in ("rserver.conf:1", "www-port", "rserver.conf:2", "many", "rserver.conf:4", "auth-timeout-minutes"):
        assert part in done.stderr
    assert done.stdout == ""


def test_test_config_starts_nothing(tmp_path: Path) -> None:
    done = _rserver("--test-config", f"--server-data-dir={tmp_path / 'run'}", conf=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "run").exists()


def test_mistakes_in_r_versions_are_errors_and_an_r_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "r-versions").write_text("Path: /nowhere/R\nLabel: x\n\nPaths: /opt/R\nModule: a;b\n")
    for options in (("--test-config",), ()):
        done = _rserver(*options, f"--server-data-dir={tmp_path / 'run'}", conf=tmp_path)
        assert done.returncode == 2
        assert f"{tmp_path}/r-versions:4: Paths: unknown key; allowed are Path, Label" in done.stderr
        assert f"{tmp_path}/r-versions:5: Module: expected names of environment modules" in done.stderr
        assert not (tmp_path / "run").exists()
    (tmp_path / "r-versions").write_text("Path: /nowhere/R\n\n/nowhere/else\n")
    done = _rserver("--test-config", conf=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        f"rserver: warning: {tmp_path}/r-versions:{line}: this R is not offered: there is no folder {path}"
        for line, path in ((1, "/nowhere/R"), (3, "/nowhere/else"))
    ]
    verb = subprocess.run(
        [sys.executable, str(ROOT / "rserver_admin" / "__main__.py"), "test-config", "--json"],
        env={**os.environ, "RSTUDIO_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    answer = json.loads(verb.stdout)
    assert (verb.returncode, answer["ok"], len(answer["warnings"])) == (0, True, 2)


def test_a_second_server_on_the_same_directories_is_refused(server: RunningServer) -> None:
    done = _rserver(f"--server-data-dir={server.run_dir}", f"--server-lib-dir={server.lib_dir}", "--www-port=0")
    assert done.returncode == 3
    assert str(server.master_pid) in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _rserver(
            f"--server-data-dir={tmp_path / 'run'}",
            f"--server-lib-dir={tmp_path / 'lib'}",
            "--www-address=127.0.0.1",
            f"--www-port={port}",
        )
    assert done.returncode == 4
    assert f"127.0.0.1:{port}" in done.stderr


def test_auth_none_as_root_is_refused() -> None:
    done = _rserver("--auth-none=1")
    assert done.returncode == 2
    assert "auth-none" in done.stderr


def _port_of(log: Path) -> str:
    found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", log.read_text())
    assert found, log.read_text()
    return found[1]


def test_in_the_background_the_command_returns_when_the_server_is_ready_and_tells_why_it_is_not(tmp_path: Path) -> None:
    options = (
        f"--server-data-dir={tmp_path / 'run'}",
        f"--server-lib-dir={tmp_path / 'lib'}",
        "--www-address=127.0.0.1",
        "--www-port=0",
        "--server-daemonize=1",
    )
    argv = [sys.executable, str(ROOT / "rserver" / "__main__.py"), *options]
    env = {**os.environ, "RSTUDIO_CONFIG_DIR": "/nonexistent"}
    started = subprocess.run(argv, env=env, timeout=30, check=False, stdin=subprocess.DEVNULL)
    master = int((tmp_path / "run" / "rserver.pid").read_text().split()[0])
    guard = int(Path(f"/proc/{master}/stat").read_text().rsplit(")", 1)[1].split()[1])
    try:
        assert started.returncode == 0
        log = tmp_path / "lib" / "rserver.log"
        assert f"127.0.0.1:{_port_of(log)}" in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600
        second = subprocess.run(argv, env=env, timeout=30, check=False, capture_output=True, text=True)
        assert second.returncode == 3
        assert "runs already" in second.stderr
    finally:
        watch = os.pidfd_open(guard)
        os.kill(guard, 15)
        ended = select.select([watch], [], [], 20)[0]
        os.close(watch)
    assert ended

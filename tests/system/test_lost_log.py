"""Whoever reads the server's log may go away: the server does not."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.running_server import ROOT, descendants

pytestmark = pytest.mark.root


def _is_well(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health-check", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def folder() -> Iterator[Path]:
    """Unlike tmp_path open to the account of the worker."""
    with tempfile.TemporaryDirectory(prefix="rserver-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_the_server_goes_on_and_ends_without_a_reader_of_its_log(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [sys.executable, str(ROOT / "rserver" / "__main__.py"), "--server-daemonize=0", "--www-address=127.0.0.1"]
    reader, writer = os.pipe()
    argv += [f"--www-port={port}", f"--server-data-dir={folder}/run", f"--server-lib-dir={folder}/lib"]
    server = subprocess.Popen(argv, stdout=writer, stderr=writer, start_new_session=True)
    os.close(writer)
    try:
        wait_until(lambda: _is_well(port))
        os.close(reader)
        master = int((folder / "run" / "rserver.pid").read_text().split()[0])
        for part in (next(pid for pid in descendants(master) if pid != master), master):
            os.kill(part, signal.SIGKILL)
            wait_until(partial(_is_gone, part))
            wait_until(partial(_is_well, port))
        everybody = [server.pid, *descendants(server.pid)]
        assert len(everybody) >= 4
    finally:
        server.terminate()
        code = server.wait(20)
    assert code == 0
    wait_until(lambda: all(_is_gone(pid) for pid in everybody))

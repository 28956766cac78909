"""A second `make run`: from the command until the sign-in page is served, with directories and port of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.figures import median, report, skipped, target
from bench.server import ROOT

RUNS = 5
_LIMIT_SECONDS = 600.0


def main() -> None:
    """One start to have everything installed, then the measured ones."""
    if not shutil.which("make"):
        skipped("server_start", "there is no make")
        return
    times = [_start_s() for _ in range(RUNS + 1)][1:]
    report("server_start", runs=RUNS, seconds=target(median(times), 2.0), worst_s=round(max(times), 2))


def _start_s() -> float:
    with tempfile.TemporaryDirectory(prefix="rserver-bench-") as directory:
        Path(directory).chmod(0o755)
        port = _free_port()
        started = time.perf_counter()
        with _make_run(Path(directory), port) as process:
            _wait_for_page(port, process)
            return time.perf_counter() - started


@contextlib.contextmanager
def _make_run(directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    conf = directory / "conf"
    conf.mkdir()
    options = {"www-port": port, "server-data-dir": directory / "run", "server-lib-dir": directory / "lib"}
    arguments = " ".join(f"--{name}={value}" for name, value in options.items())
    process = subprocess.Popen(
        ["make", "--silent", "run", f"ARGS={arguments}"],
        cwd=ROOT,
        env={**os.environ, "RSTUDIO_CONFIG_DIR": str(conf)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def _wait_for_page(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/auth-sign-in", timeout=10).close()
            return
        time.sleep(0.005)
    message = "make run served no sign-in page"
    raise TimeoutError(message)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()

"""Two workers of ours against two of nginx, all on the same processors, with the load and what is behind them.

    python bench/two_workers.py [--rounds 5] [--seconds 3]

As proxy_http, but nothing is pinned: wrk, an nginx behind, and the two workers share all processors. Ours share one
listening socket, as they inherit it from the master. Prints the requests per second of one and of two workers of each
kind, and the ratio to nginx with as many (target for two: at least 0.9).
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import proxy_http

CONNECTIONS = 64


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--serve", nargs=2, metavar=("FD", "SOCKET"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(int(arguments.serve[0]), arguments.serve[1])
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        targets = start_all(Path(folder), stack)
        rounds = [
            {name: measured(Path(folder), name, port, arguments.seconds) for name, port in targets.items()}
            for _ in range(arguments.rounds)
        ]
    medians = {name: round(statistics.median(row[name] for row in rounds)) for name in targets}
    ratios = {
        f"ratio_{count}": round(statistics.median(row[f"front_{count}"] / row[f"nginx_{count}"] for row in rounds), 3)
        for count in (1, 2)
    }
    print(json.dumps({"bench": "two_workers", **medians, **ratios}))


def start_all(folder: Path, stack: ExitStack) -> dict[str, int]:
    """The port of each."""
    (folder / "j").write_text(json.dumps({"result": "x" * 186}))
    lua = proxy_http.LUA.replace("SID", proxy_http.SID).replace("COOKIE", proxy_http.COOKIE)
    (folder / "load.lua").write_text(lua)
    backend = str(folder / "session.sock")
    stack.enter_context(nginx(folder, "backend", proxy_http.BACKEND.format(socket=backend, folder=folder), 1))
    proxy_http.wait_for(lambda: os.path.exists(backend))
    os.chmod(backend, 0o666)
    targets: dict[str, int] = {}
    for count in (1, 2):
        (port,) = proxy_http.free_ports(1)
        proxy = proxy_http.PROXY.format(socket=backend, port=port, sid=proxy_http.SID)
        stack.enter_context(nginx(folder, f"proxy{count}", proxy, count))
        proxy_http.wait_for(lambda port=port: proxy_http.listening(port))
        targets[f"nginx_{count}"] = port
        targets[f"front_{count}"] = start_front(backend, count, stack)
    return targets


def start_front(backend: str, count: int, stack: ExitStack) -> int:
    """So many workers with one listening socket; its port."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
    for _ in range(count):
        argv = [sys.executable, __file__, "--serve", str(listener.fileno()), backend]
        stack.enter_context(running(argv, listener.fileno()))
    return int(listener.getsockname()[1])


def measured(folder: Path, name: str, port: int, seconds: int) -> float:
    """Requests per second."""
    url = f"http://127.0.0.1:{port}/s/{proxy_http.SID}/j"
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(folder / "load.lua"), url]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    fields = output.partition("RESULT ")[2].split()
    if len(fields) < 5 or int(fields[4]):
        sys.exit(f"{name} failed:\n{output}")
    return int(fields[0]) / int(fields[1]) * 1e6


@contextmanager
def nginx(folder: Path, name: str, server: str, workers: int) -> Iterator[int]:
    """A running nginx with so many workers."""
    conf = folder / f"{name}.conf"
    text = proxy_http.NGINX.format(folder=folder, name=name, server=server)
    conf.write_text(text.replace("worker_processes 1;", f"worker_processes {workers};"))
    with running(["nginx", "-c", str(conf), "-e", str(folder / f"{name}.log")]) as pid:
        yield pid


@contextmanager
def running(argv: list[str], *fds: int) -> Iterator[int]:
    """A process that inherits these descriptors."""
    process = subprocess.Popen(argv, pass_fds=fds)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def serve(fd: int, backend: str) -> None:
    """One worker, on the listening socket with this number."""
    import uvloop

    uvloop.run(proxy_http.serve_on(socket.socket(fileno=fd), backend))


if __name__ == "__main__":
    main()

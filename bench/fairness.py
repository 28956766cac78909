"""What one user feels while another asks on 500 connections as fast as he can.

    python bench/fairness.py [--rounds 3] [--seconds 4]

One worker on a processor of its own; behind it one nginx worker for both users. Prints p50 and p99 of the requests of
the one, in ms: alone, beside the other, beside the other when the front takes requests in the order in which they come
(`unfair`), and beside the other when he downloads 1 MB with each request.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import proxy_http, two_workers
from bench.proxy_peers import Everything
from rserver.web.request import Authentication, Identity, RequestHead

CROWD = 500
SHARES = {"fair": 0, "unfair": 1_000_000}
_END = b'x"}'
_COOKIE = "Cookie: user-id={user}; rs-csrf-token=abcdef"


class TwoUsers(Everything):
    """Whoever says a name is it."""

    def authenticate(self, head: RequestHead) -> Authentication:
        return Authentication(Identity(head.cookies["user-id"], os.getuid()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--serve", nargs=3, metavar=("FD", "SOCKET", "SHARE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        fd, backend, share = arguments.serve
        serve(int(fd), backend, int(share))
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        ports = start_all(Path(folder), stack)
        rows = [measured(ports, arguments.seconds) for _ in range(arguments.rounds)]
    names = rows[0].keys()
    print(json.dumps({"bench": "fairness", **{name: statistics.median(row[name] for row in rows) for name in names}}))


def start_all(folder: Path, stack: ExitStack) -> dict[str, int]:
    """The port of each front."""
    (folder / "j").write_text(json.dumps({"result": "x" * 186}))
    (folder / "m").write_bytes(b"m" * 1_000_000)
    backend = str(folder / "session.sock")
    text = proxy_http.BACKEND.format(socket=backend, folder=folder)
    stack.enter_context(two_workers.nginx(folder, "backend", text, 1))
    proxy_http.wait_for(lambda: os.path.exists(backend))
    os.chmod(backend, 0o666)
    ports = {}
    for name, share in SHARES.items():
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        argv = [sys.executable, __file__, "--serve", str(listener.fileno()), backend, str(share)]
        argv = [*proxy_http.pinned(proxy_http.PROXY_CPU), *argv]
        stack.enter_context(two_workers.running(argv, listener.fileno()))
        ports[name] = int(listener.getsockname()[1])
    return ports


def measured(ports: dict[str, int], seconds: int) -> dict[str, float]:
    """p50 and p99 in ms."""
    row = felt("alone", ports["fair"], 1)
    cases = {**{name: (port, "j") for name, port in ports.items()}, "downloads": (ports["fair"], "m")}
    for name, (port, path) in cases.items():
        url = f"http://127.0.0.1:{port}/s/{proxy_http.SID}/{path}"
        argv = ["wrk", "-t1", f"-c{CROWD}", f"-d{seconds}s", "-H", _COOKIE.format(user="crowd"), url]
        crowd = subprocess.Popen([*proxy_http.pinned(proxy_http.OTHER_CPU), *argv], stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        row |= felt(name, port, seconds - 1.5)
        output, _ = crowd.communicate()
        row[f"{name}_crowd_per_s"] = float(output.partition("Requests/sec:")[2].split()[0])
    return row


def felt(name: str, port: int, seconds: float) -> dict[str, float]:
    """By somebody who asks and waits for the answer, again and again."""
    head = f"GET /s/{proxy_http.SID}/j HTTP/1.1\r\nHost: here\r\n{_COOKIE.format(user='one')}\r\n\r\n".encode()
    times = []
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        give_up = time.monotonic() + seconds
        while (begun := time.monotonic()) < give_up:
            sock.sendall(head)
            answer = b""
            while not answer.endswith(_END):
                answer += sock.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            times.append((time.monotonic() - begun) * 1000)
    steps = statistics.quantiles(times, n=100)
    return {f"{name}_p50_ms": round(steps[49], 2), f"{name}_p99_ms": round(steps[98], 2)}


def serve(fd: int, backend: str, share: int) -> None:
    """One worker, on the listening socket with this number. share 0: as it comes."""
    import uvloop

    uvloop.run(_serve(socket.socket(fileno=fd), backend, share))


async def _serve(listener: socket.socket, backend: str, share: int) -> None:
    from rserver.proxy.data_plane import DataPlane
    from rserver.proxy.settings import FrontSettings
    from rserver.web.static_files import StaticFiles

    users = TwoUsers(backend, "user-id=x")
    settings = replace(FrontSettings(), share=share) if share else FrontSettings()
    plane = DataPlane(asyncio.get_running_loop(), settings, users, users, users, StaticFiles({}))
    await plane.listen(listener)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()

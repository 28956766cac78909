"""The front and its peers, in turn: wrk with a browser's 12 headers, one of them different in every request.

    python bench/proxy_http.py [--rounds 5] [--seconds 3] [--shapes small_64 large_16] [--peers haproxy]

Needs wrk and nginx (Debian: wrk nginx-light). Behind all is one nginx worker on a Unix socket. The front verifies the
signed cookie and rewrites heads, the others only pass on. `pure` is the front without its compiled part. HAProxy,
configurable-http-proxy (RSERVER_BENCH_CHP; to TCP, as JupyterHub runs it) and Twisted's ReverseProxyResource take part
when they are there. The proxy under test has one processor, all else another. Prints one JSON line per shape: medians
by target of requests per second, p50 and p99 in ms and CPU time per request in us, and of each beside nginx the median
of the ratios of single rounds (targets of `front`: 0.9 of the requests, 1.2 of those of 1 MB). `disturbed` is how many
rounds ran while others used more than 0.15 of a processor. Anything but an answer 2xx fails, a peer of which that is
so is left out and named.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.other_load import DISTURBED, Load, cpu_seconds
from bench.proxy_peers import cookie
from bench.proxy_programs import PEERS

SID = "abcdecfc78a3112345678"
COOKIE = cookie()
SHAPES = {
    "small_64": ("j", 64),
    "small_1": ("j", 1),
    "small_512": ("j", 512),
    "kb10_64": ("t", 64),
    "large_16": ("m", 16),
    "post_64": ("p", 64),
}
PROXY_CPU, OTHER_CPU = 1, 0
LUA = """
local n = 0
local POSTED = string.rep("p", 300)
local fields = {
  ["Host"] = "127.0.0.1:8787", ["Connection"] = "keep-alive", ["sec-ch-ua-mobile"] = "?0",
  ["sec-ch-ua"] = '"Chromium";v="140", "Not=A?Brand";v="24"',
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
  ["Accept"] = "*/*", ["Sec-Fetch-Site"] = "same-origin", ["Sec-Fetch-Mode"] = "cors", ["Sec-Fetch-Dest"] = "empty",
  ["Referer"] = "http://127.0.0.1:8787/s/SID/", ["Accept-Language"] = "en-GB,en;q=0.9", ["Cookie"] = "COOKIE",
  ["X-RS-CSRF-Token"] = "abcdef",
}
request = function()
  n = n + 1
  fields["X-Number"] = tostring(n)
  if wrk.path:sub(-2) == "/p" then
    return wrk.format("POST", wrk.path, fields, POSTED)
  end
  return wrk.format("GET", wrk.path, fields)
end
done = function(s, l)
  io.write(string.format("RESULT %d %d %.3f %.3f %d\\n", s.requests, s.duration, l:percentile(50) / 1000,
    l:percentile(99) / 1000, s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout))
end
"""
NGINX = """
worker_processes 1; worker_rlimit_nofile 20000; daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.log crit;
events {{ worker_connections 16384; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/t;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {server} }}
"""
BACKEND = """server {{ listen unix:{socket}; root {folder}; default_type application/json;
  rewrite ^/s/[^/]+(/.*)$ $1;
  location = /p {{ return 200 '{{"result": true}}'; }} }}"""
TCP_BACKEND = BACKEND.replace("unix:{socket}", "127.0.0.1:{port}")
PROXY = """upstream session {{ server unix:{socket}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; location /s/{sid}/ {{ proxy_pass http://session/; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }} }}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--shapes", nargs="*", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "SOCKET"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(int(arguments.serve[0]), arguments.serve[1])
        return
    missing = [program for program in ("wrk", "nginx", "taskset") if shutil.which(program) is None]
    if missing:
        sys.exit(f"proxy_http needs {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        targets = start_all(folder, stack, arguments.peers)
        for shape in arguments.shapes:
            print(json.dumps(measured(folder, targets, shape, arguments.rounds, arguments.seconds)), flush=True)
        print(json.dumps({"bench": "proxy_http", "front_pss_mb": pss_mb(targets["front"][1])}))


def measured(folder: Path, targets: dict[str, "Target"], shape: str, rounds: int, seconds: int) -> dict[str, object]:
    """The row of one shape."""
    path, connections = SHAPES[shape]
    names, rows, disturbed, failed = list(targets), [], 0, []
    for _ in range(rounds):
        random.shuffle(names)
        before, row = Load.now(), {}
        for name in list(names):
            try:
                row[name] = run(folder, name, targets[name], path, connections, seconds)
            except Failed as error:
                if name not in PEERS:
                    sys.exit(str(error))
                names.remove(name)
                failed.append(name)
        rows.append(row)
        disturbed += Load.now().others_since(before) > DISTURBED
    whole = [{name: row[name] for name in names} for row in rows]
    return {"bench": "proxy_http", "shape": shape, **summary(whole), "disturbed": disturbed, "failed": failed}


class Failed(Exception):
    """Errors, or answers that are none; the text holds what wrk said."""


Target = tuple[int, int]
Row = tuple[float, float, float, float]


def start_all(folder: Path, stack: ExitStack, peers: Iterable[str] = ()) -> dict[str, Target]:
    """Port and pid of each proxy."""
    (folder / "j").write_text(json.dumps({"result": "x" * 186}))
    (folder / "t").write_bytes(b"t" * 10_000)
    (folder / "m").write_bytes(b"m" * 1_000_000)
    (folder / "load.lua").write_text(LUA.replace("SID", SID).replace("COOKIE", COOKIE))
    backend = str(folder / "session.sock")
    stack.enter_context(nginx(folder, "backend", BACKEND.format(socket=backend, folder=folder), OTHER_CPU))
    os.chmod(backend, 0o666) if wait_for(lambda: os.path.exists(backend)) else None
    plain, alone, pure, tcp, *others = free_ports(4 + len(PEERS))
    proxy = PROXY.format(socket=backend, port=plain, sid=SID)
    master = stack.enter_context(nginx(folder, "proxy", proxy, PROXY_CPU))
    wait_for(lambda: listening(plain))
    targets = {"nginx": (plain, worker_of(master))}
    argv = [sys.executable, __file__, "--serve"]
    targets["front"] = (alone, stack.enter_context(running([*argv, str(alone), backend], PROXY_CPU)))
    targets["pure"] = (pure, stack.enter_context(running([*argv, str(pure), backend], PROXY_CPU, RSERVER_PROXY="pure")))
    stack.enter_context(nginx(folder, "tcp", TCP_BACKEND.format(port=tcp, folder=folder), OTHER_CPU))
    for name, port in zip(PEERS, others, strict=True):
        command = PEERS[name](folder, port, backend, tcp) if name in peers else None
        if command:
            targets[name] = (port, stack.enter_context(running(command, PROXY_CPU)))
    for port, _ in targets.values():
        wait_for(lambda port=port: listening(port))
    return targets


def run(
    folder: Path, name: str, target: Target, path: str, connections: int, seconds: int, scheme: str = "http"
) -> Row:
    """Requests per second, p50, p99, CPU us per request."""
    port, pid = target
    url = f"{scheme}://127.0.0.1:{port}/s/{SID}/{path}"
    before = cpu_seconds(pid)
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(folder / "load.lua"), url]
    output = subprocess.run([*pinned(OTHER_CPU), *argv], capture_output=True, text=True, check=True).stdout
    match = re.search(r"RESULT (\d+) (\d+) (\S+) (\S+) (\d+)", output)
    if match is None or int(match[5]):
        raise Failed(f"{name} failed:\n{output}")
    count = int(match[1])
    cpu = (cpu_seconds(pid) - before) / max(1, count) * 1e6
    return count / int(match[2]) * 1e6, float(match[3]), float(match[4]), cpu


def summary(rounds: list[dict[str, Row]]) -> dict[str, object]:
    """Medians by target, and the median of the ratios within rounds."""
    by_target: dict[str, list[Row]] = {}
    for row in rounds:
        for target, values in row.items():
            by_target.setdefault(target, []).append(values)
    ratios = {
        f"{name} {what}": round(statistics.median(row[name][index] / row["nginx"][index] for row in rounds), 3)
        for name in by_target
        if name != "nginx"
        for what, index in (("ratio", 0), ("p50_ratio", 1), ("p99_ratio", 2), ("cpu_ratio", 3))
    }
    names = ("requests_per_s", "p50_ms", "p99_ms", "cpu_us")
    medians = {
        target: {
            name: round(statistics.median(column), 3)
            for name, column in zip(names, zip(*rows, strict=True), strict=True)
        }
        for target, rows in by_target.items()
    }
    return {**medians, **ratios, "ratio": ratios["front ratio"]}


@contextmanager
def nginx(folder: Path, name: str, server: str, cpu: int) -> Iterator[int]:
    """A running nginx with one worker."""
    conf = folder / f"{name}.conf"
    conf.write_text(NGINX.format(folder=folder, name=name, server=server))
    with running(["nginx", "-c", str(conf), "-e", str(folder / f"{name}.log")], cpu) as pid:
        yield pid


@contextmanager
def running(argv: list[str], cpu: int, **environment: str) -> Iterator[int]:
    """A process on one processor."""
    process = subprocess.Popen([*pinned(cpu), *argv], env={**os.environ, **environment})
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def pinned(cpu: int) -> list[str]:
    """Prefix of a command that runs on one processor, where there are several."""
    return ["taskset", "-c", str(cpu)] if (os.cpu_count() or 1) > 1 else []


def worker_of(master: int) -> int:
    """The only child of an nginx."""
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def pss_mb(pid: int) -> float:
    """Proportional set size."""
    match = re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return round(int(match[1]) / 1024, 1) if match else 0.0


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


def listening(port: int) -> bool:
    """Somebody accepts there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(condition: object) -> bool:
    """Poll until it holds, ten seconds at most."""
    assert callable(condition)
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    sys.exit("a server did not start")


def serve(port: int, backend: str) -> None:
    """The front with a gate that looks into a table of verified cookies."""
    import uvloop

    uvloop.run(serve_front(port, backend))


async def serve_front(port: int, backend: str) -> None:
    """Until terminated."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    await serve_on(listener, backend)


async def serve_on(listener: socket.socket, backend: str) -> None:
    """As serve_front."""
    from bench.proxy_peers import Everything
    from rserver import memory
    from rserver.proxy.data_plane import DataPlane
    from rserver.proxy.settings import FrontSettings
    from rserver.web.static_files import StaticFiles

    memory.tune_allocator()
    loop = asyncio.get_running_loop()
    everything = Everything(backend, COOKIE)
    plane = DataPlane(loop, FrontSettings(), everything, everything, everything, StaticFiles({}))
    await plane.listen(listener)
    memory.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()

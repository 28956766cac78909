"""HTTPS of the front beside nginx, in turn: what a handshake costs, and how much goes through.

    python bench/tls.py [--rounds 5] [--seconds 3] [--handshakes 300]

As `proxy_http`, whose load and backend it uses; both show the same P-256 certificate and speak TLS 1.3. CPU time is
that of the proxy's process, with accepting and closing the connection. Targets beside nginx: a full handshake at most
1.2 times the CPU time, a resumed one at most 1.7 times, 1 MB bodies at least 0.95 times the rate. `hop` is the same
worker behind the nginx of `server-http=1`, CPU time that of both.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import nginx_in_front
from bench import proxy_http as load
from bench.other_load import cpu_seconds

TLS = """upstream session {{ server unix:{socket}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/both.pem; ssl_certificate_key {folder}/both.pem;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_session_cache shared:bench:10m;
  location /s/{sid}/ {{ proxy_pass http://session/; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }} }}"""
REQUEST = f"GET /s/{load.SID}/j HTTP/1.1\r\nHost: x\r\nCookie: {load.COOKIE}\r\nConnection: close\r\n\r\n".encode()

Target = nginx_in_front.Target
Measure = Callable[[str, Target], dict[str, float]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--handshakes", type=int, default=300)
    parser.add_argument("--serve", nargs=4, metavar=("PORT", "SOCKET", "PEM", "UNIX"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(int(arguments.serve[0]), *arguments.serve[1:])
        return
    missing = [program for program in ("wrk", "nginx", "openssl", "taskset") if shutil.which(program) is None]
    if missing:
        sys.exit(f"tls needs {' '.join(missing)}")
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {load.OTHER_CPU})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        targets = start_all(Path(folder), stack)
        for shape, measure in shapes(Path(folder), arguments.seconds, arguments.handshakes).items():
            rounds = [{name: measure(name, targets[name]) for name in targets} for _ in range(arguments.rounds)]
            print(json.dumps({"bench": "tls", "shape": shape, **summary(rounds)}), flush=True)


def shapes(folder: Path, seconds: int, count: int) -> dict[str, Measure]:
    """What is measured, by name."""

    def through(path: str, connections: int) -> Measure:
        def measure(name: str, target: Target) -> dict[str, float]:
            rate, p50, p99, cpu = nginx_in_front.run(folder, name, target, path, connections, seconds, "https")
            return {"requests_per_s": rate, "p50_ms": p50, "p99_ms": p99, "cpu_us": cpu}

        return measure

    return {
        "full_handshake": lambda _name, target: handshakes(folder, target, count, resumed=False),
        "resumed_handshake": lambda _name, target: handshakes(folder, target, count, resumed=True),
        "small_64": through("j", 64),
        "large_16": through("m", 16),
    }


def handshakes(folder: Path, target: Target, count: int, *, resumed: bool) -> dict[str, float]:
    """CPU time of the server for one, in us."""
    port, pids = target
    context = ssl.create_default_context(cafile=str(folder / "both.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    ticket = _ticket(context, port) if resumed else None
    before = sum(map(cpu_seconds, pids))
    for _ in range(count):
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=ticket) as stream,
        ):
            assert stream.session_reused is resumed
    # The last one is over when the server answers on another connection.
    _ticket(context, port)
    return {"cpu_us": (sum(map(cpu_seconds, pids)) - before) / count * 1e6}


def _ticket(context: ssl.SSLContext, port: int) -> ssl.SSLSession:
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        stream.sendall(REQUEST)
        while stream.recv(65536):
            continue
        assert stream.session
        return stream.session


def summary(rounds: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Medians by target, and the median of the ratios within rounds: of CPU time for handshakes, else of rates."""
    figures = list(rounds[0]["front"])
    medians = {
        target: {name: round(statistics.median(row[target][name] for row in rounds), 3) for name in figures}
        for target in rounds[0]
    }
    key = "requests_per_s" if "requests_per_s" in figures else "cpu_us"
    ratios = {
        f"{target}_ratio": round(statistics.median(row[target][key] / row["nginx"][key] for row in rounds), 3)
        for target in rounds[0]
        if target != "nginx"
    }
    return {**medians, **ratios}


def start_all(folder: Path, stack: ExitStack) -> dict[str, Target]:
    """Port and pid of each proxy."""
    (folder / "j").write_text(json.dumps({"result": "x" * 186}))
    (folder / "m").write_bytes(b"m" * 1_000_000)
    (folder / "load.lua").write_text(load.LUA.replace("SID", load.SID).replace("COOKIE", load.COOKIE))
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += [
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "leaf.pem"),
        "-days",
        "9",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*argv, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "leaf.pem").read_text() + (folder / "key.pem").read_text())
    backend = str(folder / "session.sock")
    text = load.BACKEND.format(socket=backend, folder=folder)
    stack.enter_context(load.nginx(folder, "backend", text, load.OTHER_CPU))
    load.wait_for(lambda: os.path.exists(backend))
    os.chmod(backend, 0o666)
    ports = load.free_ports(3)
    worker = str(folder / "worker.sock")
    proxy = TLS.format(socket=backend, port=ports[0], sid=load.SID, folder=folder)
    master = stack.enter_context(load.nginx(folder, "proxy", proxy, load.PROXY_CPU))
    pem = str(folder / "both.pem")
    argv = [sys.executable, __file__, "--serve", str(ports[1]), backend, pem, worker]
    front = stack.enter_context(load.running(argv, load.PROXY_CPU))
    hop = stack.enter_context(nginx_in_front.own_nginx(folder, worker, ports[2], pem))
    for port in ports:
        load.wait_for(lambda port=port: load.listening(port))
    return {
        "nginx": (ports[0], (load.worker_of(master),)),
        "front": (ports[1], (front,)),
        "hop": (ports[2], (load.worker_of(hop), front)),
    }


def serve(port: int, backend: str, pem: str, path: str) -> None:
    """The front over TLS."""
    import uvloop

    uvloop.run(serve_front(port, backend, Path(pem).read_text(), path))


async def serve_front(port: int, backend: str, pair: str, path: str) -> None:
    """Until terminated."""
    from bench.proxy_peers import Everything
    from rserver import memory
    from rserver.proxy.data_plane import DataPlane
    from rserver.proxy.settings import FrontSettings
    from rserver.tls.contexts import TlsContexts
    from rserver.web.static_files import StaticFiles

    memory.tune_allocator()
    everything = Everything(backend, load.COOKIE)
    settings = FrontSettings(tls=True)
    loop = asyncio.get_running_loop()
    plane = DataPlane(loop, settings, everything, everything, everything, StaticFiles({}))
    material = {"chain": pair, "key": "", "names": ["localhost"]}
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    await plane.listen(listener, TlsContexts([material], ("TLSv1.2", "TLSv1.3"), b"bench").default)
    own = socket.socket(socket.AF_UNIX)
    own.bind(path)
    await plane.listen(own)
    memory.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()

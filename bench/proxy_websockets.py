"""WebSockets through the front beside nginx: messages of 64 bytes and back, what idle ones and stalled readers cost.

    python bench/proxy_websockets.py [--rounds 5] [--seconds 3] [--idle 5000]

Needs nginx and a C compiler: load and session are websocket_load.c. As in proxy_http the proxy under test has one
processor and all else another, rounds are interleaved, and the front alone verifies the cookie. `pure` is the front
without its compiled part. Targets: 0.95 of nginx's messages, 3.2 KB for an idle one and no processor time, 3 MB in all
for eight readers that stall at 64 MB.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import proxy_http as load
from bench.other_load import DISTURBED, Load, cpu_seconds

CONNECTIONS, SIZE = 64, 64
STALLED, LARGE = 8, 64 << 20
SOURCE = Path(__file__).with_name("websocket_load.c")
NGINX = """upstream session {{ server unix:{socket}; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://session; proxy_http_version 1.1;
  proxy_read_timeout 600s; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }} }}"""
PATH = f"/s/{load.SID}/events"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        program = str(folder / "websocket_load")
        subprocess.run(["cc", "-O2", "-o", program, str(SOURCE)], check=True)
        targets = start_all(folder, stack, program)
        print(json.dumps(messages(program, targets, arguments.rounds, arguments.seconds)), flush=True)
        for target in targets:
            print(json.dumps(idle(program, target, targets[target], arguments.idle)), flush=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        for target, place in load.start_all(folder, stack).items():
            print(json.dumps(stalled(folder, target, place)), flush=True)


def start_all(folder: Path, stack: ExitStack, program: str) -> dict[str, load.Target]:
    """Port and pid of each proxy, the echoing session behind them."""
    backend = str(folder / "session.sock")
    stack.enter_context(load.running([program, "echo", backend], load.OTHER_CPU))
    load.wait_for(lambda: os.path.exists(backend))
    os.chmod(backend, 0o666)
    plain, front, pure = load.free_ports(3)
    proxy = NGINX.format(socket=backend, port=plain)
    master = stack.enter_context(load.nginx(folder, "proxy", proxy, load.PROXY_CPU))
    argv = [sys.executable, load.__file__, "--serve"]
    pids = [
        stack.enter_context(load.running([*argv, str(front), backend], load.PROXY_CPU)),
        stack.enter_context(load.running([*argv, str(pure), backend], load.PROXY_CPU, RSERVER_PROXY="pure")),
    ]
    for port in (plain, front, pure):
        load.wait_for(lambda port=port: load.listening(port))
    return {"nginx": (plain, load.worker_of(master)), "front": (front, pids[0]), "pure": (pure, pids[1])}


def messages(program: str, targets: dict[str, load.Target], rounds: int, seconds: int) -> dict[str, object]:
    """Messages in a second, processor time of one, and the medians of their ratios to nginx."""
    rows: list[dict[str, tuple[float, float]]] = []
    names, disturbed = list(targets), 0
    for _ in range(rounds):
        random.shuffle(names)
        before = Load.now()
        rows.append({name: exchanged(program, targets[name], seconds) for name in names})
        disturbed += Load.now().others_since(before) > DISTURBED
    found: dict[str, object] = {"bench": "proxy_websockets", "shape": "echo_64"}
    for name in targets:
        found[f"{name} messages_per_s"] = round(statistics.median(row[name][0] for row in rows))
        found[f"{name} cpu_us"] = round(statistics.median(row[name][1] for row in rows), 2)
        found[f"{name} ratio"] = round(statistics.median(row[name][0] / row["nginx"][0] for row in rows), 3)
    return {**found, "disturbed": disturbed}


def exchanged(program: str, target: load.Target, seconds: int) -> tuple[float, float]:
    """Messages in a second, and processor time of one in us."""
    port, pid = target
    before = cpu_seconds(pid)
    argv = [program, "run", str(port), PATH, load.COOKIE, str(CONNECTIONS), str(seconds), str(SIZE)]
    output = subprocess.run([*load.pinned(load.OTHER_CPU), *argv], capture_output=True, text=True, check=True).stdout
    count = int(output)
    return count / seconds, (cpu_seconds(pid) - before) / count * 1e6


def idle(program: str, name: str, target: load.Target, count: int) -> dict[str, object]:
    """Memory of each of many that do nothing, and processor time of all together."""
    port, pid = target
    before = load.pss_mb(pid)
    argv = [program, "idle", str(port), PATH, load.COOKIE, str(count)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdin
        assert clients.stdout
        if clients.stdout.readline() != "ready\n":
            sys.exit(f"{name} did not take {count} WebSockets")
        time.sleep(3)
        each = (load.pss_mb(pid) - before) * 1024 / count
        spent = cpu_seconds(pid)
        time.sleep(5)
        spent = (cpu_seconds(pid) - spent) / 5
        clients.stdin.close()
    found = {"target": name, "kb_each": round(each, 2), "cpu": round(spent, 4)}
    return {"bench": "proxy_websockets", "shape": f"idle_{count}", **found}


def stalled(folder: Path, name: str, target: load.Target) -> dict[str, object]:
    """Growth by readers that stop after a few bytes of a large answer."""
    port, pid = target
    large = folder / "l"
    if not large.exists():
        with large.open("wb") as file:
            file.truncate(LARGE)
    fetch(port, "j")
    before = load.pss_mb(pid)
    readers = [ask(port, "l") for _ in range(STALLED)]
    time.sleep(2)
    grown = load.pss_mb(pid) - before
    for reader in readers:
        reader.close()
    return {"bench": "proxy_websockets", "shape": "stalled_8", "target": name, "grown_mb": round(grown, 2)}


def ask(port: int, path: str) -> socket.socket:
    """A connection on which an answer has begun to come."""
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(f"GET /s/{load.SID}/{path} HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nCookie: {load.COOKIE}\r\n\r\n".encode())
    if not sock.recv(64).startswith(b"HTTP/1.1 200 "):
        sys.exit(f"port {port} did not answer 200")
    return sock


def fetch(port: int, path: str) -> None:
    """Twice, so that what a first request needs is there."""
    for _ in range(2):
        ask(port, path).close()


if __name__ == "__main__":
    main()

"""rserver-http beside a plain nginx: one keep-alive hop to the worker, and a cached auth_request straight to sessions.

    python bench/nginx_in_front.py [--rounds 5] [--seconds 3]

As `proxy_http`, whose load and backend it uses. `nginx` only passes on. `front` is the worker without nginx. `hop` is
the configuration that rserver-http writes, with the worker behind it. `direct` asks the worker who is calling once a
second for each cookie and then goes to the session's socket by itself. nginx and the worker share one processor, CPU
time is that of both. The figure to look at is the ratio to `nginx` (target for 200 bytes on 64 connections: 0.8).
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench import proxy_http as load
from bench.other_load import cpu_seconds
from rserver.web.request import Request, Response

DIRECT = """proxy_cache_path {folder}/verdicts keys_zone=verdicts:10m inactive=1m;
  upstream session {{ server unix:{session}; keepalive 64; keepalive_requests 100000000; }}
  upstream worker {{ server unix:{worker}; keepalive 16; keepalive_requests 100000000; }}
  map "$http_x_rs_csrf_token;$http_cookie" $token_ok {{ default 0; "~^(?<token>[^;]+);.*rs-csrf-token=\\k<token>" 1; }}
  server {{ listen 127.0.0.1:{port};
  location = /verdict {{ internal; proxy_pass http://worker; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header X-RS-Peer "$remote_addr $remote_port $scheme"; proxy_pass_request_body off;
    proxy_set_header Content-Length ""; proxy_cache verdicts; proxy_cache_key "$sid $http_cookie";
    proxy_cache_valid 200 1s; proxy_ignore_headers Cache-Control; proxy_cache_lock off;
    proxy_cache_use_stale updating; proxy_cache_background_update on; }}
  location ~ "^/s/(?<sid>[0-9a-f]{{21}})(?<below>/.*)$" {{
    auth_request /verdict; auth_request_set $to $upstream_http_x_to; auth_request_set $kept $upstream_http_x_kept;
    auth_request_set $who $upstream_http_x_who;
    proxy_pass http://$to$below$is_args$args; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_buffering off; proxy_buffer_size 32k; proxy_buffers 4 32k;
    proxy_set_header Host $http_host; proxy_set_header Cookie $kept; proxy_set_header X-RS-User $who;
    proxy_set_header X-RS-Base-Path /s/$sid/; proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Token $token_ok; }} }}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--serve", nargs=3, metavar=("PORT", "UNIX", "BACKEND"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(int(arguments.serve[0]), arguments.serve[1], arguments.serve[2])
        return
    missing = [program for program in ("wrk", "nginx", "taskset") if shutil.which(program) is None]
    if missing:
        sys.exit(f"nginx_in_front needs {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        targets = start_all(Path(folder), stack)
        for shape, (name, connections) in load.SHAPES.items():
            rounds = [
                {each: run(Path(folder), each, targets[each], name, connections, arguments.seconds) for each in targets}
                for _ in range(arguments.rounds)
            ]
            for target in ("front", "hop", "direct"):
                rows = [{"nginx": row["nginx"], "front": row[target]} for row in rounds]
                found = load.summary(rows)
                found[target] = found.pop("front")
                result = {"bench": "nginx_in_front", "shape": shape, "target": target, **found}
                print(json.dumps(result), flush=True)


Target = tuple[int, tuple[int, ...]]


def start_all(folder: Path, stack: ExitStack) -> dict[str, Target]:
    """Port of each, and the processes whose time counts."""
    (folder / "j").write_text(json.dumps({"result": "x" * 186}))
    (folder / "t").write_bytes(b"t" * 10_000)
    (folder / "m").write_bytes(b"m" * 1_000_000)
    (folder / "load.lua").write_text(load.LUA.replace("SID", load.SID).replace("COOKIE", load.COOKIE))
    session, worker = str(folder / "session.sock"), str(folder / "worker.sock")
    backend = load.BACKEND.format(socket=session, folder=folder)
    stack.enter_context(load.nginx(folder, "backend", backend, load.OTHER_CPU))
    load.wait_for(lambda: os.path.exists(session))
    os.chmod(session, 0o666)
    plain, alone, hop, direct = load.free_ports(4)
    argv = [sys.executable, __file__, "--serve", str(alone), worker, session]
    front = stack.enter_context(load.running(argv, load.PROXY_CPU))
    load.wait_for(lambda: load.listening(alone))
    os.chmod(worker, 0o666)
    proxy = load.PROXY.format(socket=session, port=plain, sid=load.SID)
    # The worker listens to processes of its own account only.
    http = DIRECT.format(folder=folder, session=session, worker=worker, port=direct)
    written = "user root;\n" + load.NGINX.format(folder=folder, name="direct", server=http)
    masters = [
        stack.enter_context(load.nginx(folder, "proxy", proxy, load.PROXY_CPU)),
        stack.enter_context(own_nginx(folder, worker, hop)),
        stack.enter_context(nginx_with(folder, "direct", written)),
    ]
    for port in (plain, hop, direct):
        load.wait_for(lambda port=port: load.listening(port))
    workers = [load.worker_of(master) for master in masters]
    return {
        "nginx": (plain, (workers[0],)),
        "front": (alone, (front,)),
        "hop": (hop, (workers[1], front)),
        "direct": (direct, (workers[2], front, *others(masters[2], workers[2]))),
    }


def others(master: int, worker: int) -> list[int]:
    """What else an nginx runs: it has processes that look after its cache."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [int(child) for child in children if int(child) != worker]


def own_nginx(folder: Path, worker: str, port: int, pem: str = "") -> AbstractContextManager[int]:
    """nginx with the configuration that rserver-http writes, as one process on the processor of the proxies.

    pem: certificate and key, for TLS.
    """
    from rserver_core.options.rserver import RSERVER
    from rserver_http.nginx_conf import Certificate, NginxSettings, fields_of, render
    from rserver_http.nginx_program import find

    own = folder / "own"
    (own / "pages").mkdir(parents=True)
    (own / "directives").write_text("user root;\n")
    fields, policy = fields_of(RSERVER.to_json(RSERVER.defaults(os.environ, root=True)))
    settings = NginxSettings(
        find("", os.environ),
        (f"127.0.0.1:{port}",),
        str(own),
        worker,
        fields=fields,
        policy=policy,
        certificates=(Certificate(pem),) if pem else (),
        protocols=("TLSv1.2", "TLSv1.3"),
        snippets={"directives": str(own / "directives")},
        descriptors=8192,
    )
    return nginx_with(own, "own", render(settings))


def nginx_with(folder: Path, name: str, text: str) -> AbstractContextManager[int]:
    """An nginx with this configuration, on the processor of the proxies."""
    (folder / f"{name}.conf").write_text(text)
    return load.running(["nginx", "-c", str(folder / f"{name}.conf"), "-e", str(folder / "log")], load.PROXY_CPU)


def run(
    folder: Path, name: str, target: Target, path: str, connections: int, seconds: int, scheme: str = "http"
) -> load.Row:
    """As `proxy_http.run`, with the time of several processes."""
    port, pids = target
    before = sum(map(cpu_seconds, pids[1:]))
    rate, p50, p99, cpu = load.run(folder, name, (port, pids[0]), path, connections, seconds, scheme)
    more = sum(map(cpu_seconds, pids[1:])) - before
    return rate, p50, p99, cpu + more / (rate * seconds) * 1e6


def serve(port: int, path: str, backend: str) -> None:
    """The front on a port and on a Unix socket."""
    import uvloop

    uvloop.run(serve_front(port, path, backend))


async def serve_front(port: int, path: str, backend: str) -> None:
    """Until terminated."""
    from bench.proxy_peers import Everything
    from rserver import memory
    from rserver.proxy.data_plane import DataPlane
    from rserver.proxy.settings import FrontSettings
    from rserver.web.static_files import StaticFiles

    class Judge(Everything):
        async def handle(self, request: Request) -> Response:
            found = self.authenticate(request.head).identity
            status = 200 if found else 401
            return Response(status, headers=(("X-To", "session"), ("X-Kept", ""), ("X-Who", "alice")))

    memory.tune_allocator()
    judge = Judge(backend, load.COOKIE)
    plane = DataPlane(asyncio.get_running_loop(), FrontSettings(), judge, judge, judge, StaticFiles({}))
    for listener, where in ((socket.socket(), ("127.0.0.1", port)), (socket.socket(socket.AF_UNIX), path)):
        listener.bind(where)
        await plane.listen(listener)
    memory.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()

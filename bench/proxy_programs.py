"""Other proxies for comparison: each a function (folder, port, backend socket, backend port) that gives its command.

None when the program is not there.
"""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HAPROXY = """global
  maxconn 8192
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
frontend in
  bind 127.0.0.1:{port}
  default_backend session
backend session
  http-reuse always
  server one unix@{socket}
"""


def haproxy(folder: Path, port: int, path: str, tcp: int) -> list[str] | None:
    """HAProxy with one thread."""
    program = shutil.which("haproxy")
    configuration = folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(port=port, socket=path))
    return [program, "-db", "-q", "-f", str(configuration)] if program else None


def configurable_http_proxy(folder: Path, port: int, path: str, tcp: int) -> list[str] | None:
    """JupyterHub's proxy; the program itself, as its starter would be what is measured."""
    program = os.environ.get("RSERVER_BENCH_CHP") or shutil.which("configurable-http-proxy")
    if not program:
        return None
    target = f"http://127.0.0.1:{tcp}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        control = probe.getsockname()[1]
    command = ["node", os.path.realpath(program), "--ip", "127.0.0.1", "--port", str(port), "--api-port", str(control)]
    return [*command, "--default-target", target, "--log-level", "error"]


def twisted(folder: Path, port: int, path: str, tcp: int) -> list[str]:
    """ReverseProxyResource, which knows TCP only."""
    return [sys.executable, __file__, str(port), str(tcp)]


PEERS: dict[str, Callable[[Path, int, str, int], list[str] | None]] = {
    "haproxy": haproxy,
    "chp": configurable_http_proxy,
    "twisted": twisted,
}


def serve_twisted(port: int, tcp: int) -> None:
    """Until terminated."""
    from twisted.internet import reactor
    from twisted.web.proxy import ReverseProxyResource
    from twisted.web.server import Site

    loop: Any = reactor
    loop.listenTCP(port, Site(ReverseProxyResource("127.0.0.1", tcp, b"")), interface="127.0.0.1")
    # It tells of each connection that wrk breaks off.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    loop.run()


if __name__ == "__main__":
    serve_twisted(int(sys.argv[1]), int(sys.argv[2]))

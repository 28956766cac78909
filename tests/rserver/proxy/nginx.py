"""Debian's nginx, configured by the test."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rserver.proxy.world import LIMIT_SECONDS

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")

_CONF = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_header_timeout {wait}; client_body_timeout {wait}; keepalive_timeout {wait}; lingering_timeout {wait};
  large_client_header_buffers 4 32k;
  upstream behind {{ server {behind}; keepalive 32; }}
  server {{
    listen {listen};
    location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Host $http_host; proxy_set_header Connection ""; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, behind: str, listen: str, wait: str = "800ms") -> Iterator[None]:
    """A running one that carries everything from `listen` to `behind` (as nginx writes addresses)."""
    folder.mkdir()
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, behind=behind, listen=listen, wait=wait))
    process = subprocess.Popen(["nginx", "-c", str(conf)])
    try:
        _wait_for(listen)
        yield
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(listen: str) -> None:
    give_up = time.monotonic() + LIMIT_SECONDS
    while not _listens(listen):
        assert time.monotonic() < give_up, f"nginx does not listen on {listen}"
        time.sleep(0.02)


def _listens(listen: str) -> bool:
    if listen.startswith("unix:"):
        family, address = socket.AF_UNIX, listen.removeprefix("unix:")
        with contextlib.suppress(OSError), socket.socket(family) as sock:
            sock.connect(address)
            return True
        return False
    host, _, port = listen.partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False

"""Which nginx is installed, and what it can do."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rserver_core.nginx_path import NginxMissing, nginx_path
from rserver_http.nginx_conf import NginxProgram

_SECONDS = 10.0
_OLDEST = (1, 18)
_BROTLI = ("ngx_http_brotli_filter_module.so", "ngx_http_brotli_static_module.so")


def find(named: str, environ: Mapping[str, str]) -> NginxProgram:
    """The nginx named by server-http-nginx, or the first one in the usual folders; NginxMissing."""
    path = nginx_path(named)
    try:
        done = subprocess.run(
            [path, "-V"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, env=dict(environ), text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "strerror", None) or error
        raise NginxMissing(f"server-http-nginx: {path} cannot be run: {why}") from None
    return _described(path, done.stderr)


def _described(path: str, about: str) -> NginxProgram:
    version = re.search(r"^nginx version: \S+/(\d+)\.(\d+)\.(\d+)", about, re.MULTILINE)
    if version is None:
        raise NginxMissing(f"server-http-nginx: {path} is no nginx: it does not say its version")
    numbers = tuple(map(int, version.groups()))
    if numbers < _OLDEST:
        raise NginxMissing(f"{path} is nginx {version[1]}.{version[2]}; server-http=1 needs 1.18 or newer")
    return NginxProgram(path, numbers, _brotli_modules(about))


def _brotli_modules(about: str) -> tuple[str, ...]:
    found = re.search(r"--modules-path=(\S+)", about)
    paths = [Path(found[1] if found else "/usr/lib/nginx/modules", name) for name in _BROTLI]
    return tuple(map(str, paths)) if all(path.is_file() for path in paths) else ()

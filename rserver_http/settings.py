"""From the master's greeting to what the configuration of nginx depends on."""

import os
import resource
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rserver_core import conf_file
from rserver_http.nginx_conf import Certificate, Limits, NginxProgram, NginxSettings, fields_of

_ROOT = Path(__file__).resolve().parent.parent
# What was packed when it was built; the few small files below /static/ the worker packs and sends.
STATIC = (("/ide", str(_ROOT / "ide" / "dist")),)
# As Workbench names them: file in the configuration directory for a place in nginx's configuration.
SNIPPETS = {name: f"nginx.{name}.conf" for name in ("directives", "worker", "http", "server", "site")}
_MOST_PROCESSES = 8


class SettingsError(Exception):
    """What cannot be written into a configuration; the text says what."""


def addresses(sockets: Sequence[socket.socket]) -> tuple[str, ...]:
    """`address:port` of each, as nginx writes them."""
    return tuple(map(_address, sockets))


def settings_of(
    options: Mapping[str, Any],
    program: NginxProgram,
    listening: tuple[tuple[str, ...], ...],
    folder: Path,
    certificates: tuple[Certificate, ...],
) -> NginxSettings:
    """The settings of these options; SettingsError. listening: addresses for browsers, and those of redirects."""
    fields, policy = fields_of(options)
    for path in (str(folder), *(folder for _, folder in STATIC)):
        if any(letter in path for letter in '"\\$\n;{}'):
            raise SettingsError(f"with server-http=1 no path may hold quotes, $, ; or braces: {path}")
    listens, redirects = listening
    return NginxSettings(
        program,
        listens,
        str(folder),
        str(folder.parent / "worker.sock"),
        redirects,
        int(listens[0].rpartition(":")[2]),
        str(options["www-root-path"]).rstrip("/"),
        fields,
        policy,
        certificates,
        tuple(options["ssl-protocols"]),
        STATIC,
        snippets(os.environ),
        Limits(
            options["www-max-connections"],
            options["www-max-connections-per-address"],
            tuple(options["www-trusted-proxies"]),
            options["www-header-timeout-seconds"],
            options["www-body-timeout-seconds"],
            options["www-send-timeout-seconds"],
        ),
        min(_MOST_PROCESSES, len(os.sched_getaffinity(0))),
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )


def snippets(environ: Mapping[str, str]) -> dict[str, str]:
    """The administrator's files that are there, by their place."""
    folder = Path(conf_file.directory(environ))
    return {place: str(folder / name) for place, name in SNIPPETS.items() if (folder / name).exists()}


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

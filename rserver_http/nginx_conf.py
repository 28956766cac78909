"""The configuration of nginx as text, rendered from templates. Pure but for reading them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template

from rserver_core.security_headers import STRICT_CSP, Field, content_policy, security_fields, transport_field

TEMPLATES = Path(__file__).parent / "templates"
PAGES = ("away.html", "away.json", "busy.html", "busy.json")

# Two descriptors for a request that is carried, and some for files and logs.
_SPARE = 64
_TYPES = "application/javascript application/json application/wasm image/svg+xml text/css text/plain"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A PEM file with chain and key, and the host names that it is for."""

    file: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NginxProgram:
    """What is installed. modules: paths of those for brotli, to be loaded; http2_directive: `http2 on` is known."""

    path: str
    version: tuple[int, ...]
    modules: tuple[str, ...] = ()

    @property
    def http2_directive(self) -> bool:
        """HTTP/2 is a directive, no longer a word behind listen."""
        return self.version >= (1, 25, 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may do; times in seconds. per_address 0: any number; uncounted: networks without that limit."""

    connections: int = 16_384
    per_address: int = 0
    uncounted: tuple[str, ...] = ()
    head_seconds: int = 20
    body_seconds: int = 60
    send_seconds: int = 120


@dataclass(frozen=True, slots=True)
class NginxSettings:
    """Everything that the configuration depends on.

    listens, redirects: `address:port` for browsers, and of those that only lead to HTTPS on https_port; folder: for
    temporary files; worker_socket: where the worker listens; static: folder by path; snippets: files of the
    administrator by their place in the configuration; root_path: "" or "/prefix"; certificates: empty without TLS.
    """

    program: NginxProgram
    listens: tuple[str, ...]
    folder: str
    worker_socket: str
    redirects: tuple[str, ...] = ()
    https_port: int = 443
    root_path: str = ""
    fields: tuple[Field, ...] = ()
    policy: str = STRICT_CSP
    certificates: tuple[Certificate, ...] = ()
    protocols: tuple[str, ...] = ()
    static: tuple[tuple[str, str], ...] = ()
    snippets: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    processes: int = 1
    descriptors: int = 1024


def fields_of(options: Mapping[str, object]) -> tuple[tuple[Field, ...], str]:
    """Fields and content policy of what nginx answers itself, from options of rserver.conf by name."""
    added = [str(line) for line in _words(options["server-add-header"])]
    if options["ssl-enabled"] and options["ssl-hsts"]:
        age, below = int(str(options["ssl-hsts-max-age"])), bool(options["ssl-hsts-include-subdomains"])
        added.append(transport_field(age, include_subdomains=below))
    origin = str(options["www-frame-origin"])
    return security_fields(origin, added), content_policy(STRICT_CSP, origin)


def render(settings: NginxSettings) -> str:
    """The whole configuration file."""
    limits = settings.limits
    # One for the browser, one for the worker.
    connections = max(64, min(2 * limits.connections, settings.descriptors - _SPARE))
    text = _filled(
        "nginx.conf",
        modules=_lines([f"load_module {_quoted(module)};" for module in settings.program.modules], 0),
        folder=settings.folder,
        processes=settings.processes,
        descriptors=settings.descriptors,
        connections=connections,
        head_seconds=limits.head_seconds,
        body_seconds=limits.body_seconds,
        send_seconds=limits.send_seconds,
        uncounted=_lines([f"{network} 0;" for network in limits.uncounted], 8),
        worker_socket=settings.worker_socket,
        types=_TYPES,
        brotli=_brotli(settings, "brotli_comp_level 4;", "brotli_min_length 1024;", f"brotli_types {_TYPES};"),
        servers="".join(_servers(settings)),
        **{place: _include(settings, place) for place in ("directives", "worker", "http")},
    )
    # What a variant leaves out leaves no hole.
    return re.sub(r"\n\n\n+", "\n\n", re.sub(r"(?m)^ +$\n?", "", text))


def _servers(settings: NginxSettings) -> Iterable[str]:
    if not settings.certificates:
        yield _server(settings, None, default=True)
    for number, certificate in enumerate(settings.certificates):
        yield _server(settings, certificate, default=number == 0)
    if settings.redirects:
        port = "" if settings.https_port == 443 else f":{settings.https_port}"
        listens = [f"listen {address} default_server;" for address in settings.redirects]
        yield _filled("redirect.conf", listens=_lines(listens, 8), port=port)


def _server(settings: NginxSettings, certificate: Certificate | None, *, default: bool) -> str:
    names = " ".join(_quoted(name) for name in (certificate.names if certificate else ())) or '""'
    return _filled(
        "server.conf",
        listens=_lines(_listens(settings, default=default), 8),
        names=names,
        tls=_tls(settings, certificate) if certificate else "",
        server=_include(settings, "server"),
        limit=f"limit_conn rserver_clients {settings.limits.per_address};" if settings.limits.per_address else "",
        site=_include(settings, "site"),
        proxy=(TEMPLATES / "proxy.conf").read_text("utf-8").rstrip(),
        root="(?:" + re.escape(settings.root_path) + ")?" if settings.root_path else "",
        brotli_on=_brotli(settings, "brotli on;"),
        static="".join(_static(settings)),
        folder=settings.folder,
        security=_lines(_security(settings), 12),
    )


def _listens(settings: NginxSettings, *, default: bool) -> list[str]:
    tls = bool(settings.certificates)
    words = " ssl" if tls else ""
    if tls and not settings.program.http2_directive:
        words += " http2"
    lines = [f"listen {address}{words}{' default_server' if default else ''};" for address in settings.listens]
    return [*lines, "http2 on;"] if tls and settings.program.http2_directive else lines


def _tls(settings: NginxSettings, certificate: Certificate) -> str:
    return _filled("tls.conf", file=certificate.file, protocols=" ".join(settings.protocols)).rstrip()


def _static(settings: NginxSettings) -> Iterable[str]:
    for path, folder in settings.static:
        for prefix in dict.fromkeys(("", settings.root_path)):
            yield _filled(
                "static.conf",
                path=prefix + path,
                folder=folder,
                brotli=_brotli(settings, "brotli_static on;"),
                security=_lines(_security(settings), 12),
            )


def _security(settings: NginxSettings) -> list[str]:
    fields = (("Content-Security-Policy", settings.policy), *settings.fields)
    return [f"add_header {name} {_quoted(value)} always;" for name, value in fields]


def _brotli(settings: NginxSettings, *directives: str) -> str:
    return " ".join(directives) if settings.program.modules else ""


def _include(settings: NginxSettings, place: str) -> str:
    return f"include {_quoted(settings.snippets[place])};" if place in settings.snippets else ""


def _quoted(value: str) -> str:
    """A word of nginx's language. A dollar would begin a variable, and none of our values may hold one."""
    if re.fullmatch(r"[A-Za-z0-9_.*:/=-]+", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${rserver_dollar}")
    return f'"{escaped}"'


def _lines(lines: Iterable[str], indent: int) -> str:
    return ("\n" + " " * indent).join(lines)


def _words(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


class _Template(Template):
    delimiter = "@"


@cache
def _template(name: str) -> _Template:
    return _Template((TEMPLATES / name).read_text("utf-8"))


def _filled(name: str, **values: object) -> str:
    return _template(name).substitute(values)

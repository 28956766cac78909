"""Servers that administrators run, as settings of the configuration."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rserver_core.options.rserver import RSERVER
from rserver_http.nginx_conf import Certificate, Limits, NginxProgram, NginxSettings, fields_of

DEBIAN = NginxProgram("/usr/sbin/nginx", (1, 22, 1))
BROTLI = ("modules/ngx_http_brotli_filter_module.so", "modules/ngx_http_brotli_static_module.so")

PLAIN = NginxSettings(
    DEBIAN,
    ("0.0.0.0:8787",),
    "/run/rstudio-server/http/nginx",
    "/run/rstudio-server/http/worker.sock",
    static=(("/ide", "/opt/rserver/ide/dist"),),
    processes=2,
    descriptors=8192,
)
TLS: dict[str, Any] = {
    "listens": ("0.0.0.0:443", "[::]:443"),
    "redirects": ("0.0.0.0:80", "[::]:80"),
    "protocols": ("TLSv1.2", "TLSv1.3"),
    "certificates": (Certificate("/certificates/one.pem", ("r.example.org",)),),
}


def options(**changed: object) -> dict[str, object]:
    """Options of rserver.conf by name, these changed."""
    given = {name.replace("_", "-"): value for name, value in changed.items()}
    return {**RSERVER.to_json(RSERVER.defaults({}, root=True)), **given}


def _with_fields(settings: NginxSettings, **changed: object) -> NginxSettings:
    fields, policy = fields_of(options(**changed))
    return replace(settings, fields=fields, policy=policy)


VARIANTS: dict[str, Callable[[], NginxSettings]] = {
    "plain": lambda: _with_fields(PLAIN),
    "root-path": lambda: _with_fields(replace(PLAIN, root_path="/r.d/x", listens=("127.0.0.1:8787", "[::1]:8787"))),
    "tls": lambda: _with_fields(replace(PLAIN, **TLS), ssl_enabled=True),
    "tls-other-port": lambda: _with_fields(
        replace(PLAIN, **{**TLS, "https_port": 8443, "listens": ("0.0.0.0:8443",), "redirects": ("0.0.0.0:8080",)}),
        ssl_enabled=True,
        ssl_hsts_include_subdomains=True,
    ),
    "certificates-by-name": lambda: _with_fields(
        replace(
            PLAIN,
            **{
                **TLS,
                "redirects": (),
                "protocols": ("TLSv1.3",),
                "certificates": (
                    Certificate("/certificates/one.pem", ("one.test",)),
                    Certificate("/certificates/many.pem", ("*.many.test", "192.0.2.1")),
                ),
            },
        ),
        ssl_enabled=True,
        ssl_hsts=False,
    ),
    "newer-nginx-with-brotli": lambda: _with_fields(
        replace(PLAIN, program=NginxProgram("/usr/sbin/nginx", (1, 26, 0), BROTLI), **TLS)
    ),
    "limits": lambda: _with_fields(
        replace(PLAIN, limits=Limits(500, 20, ("10.0.0.0/8", "2001:db8::/32"), 5, 6, 7), descriptors=512)
    ),
    "own-headers-and-snippets": lambda: _with_fields(
        replace(
            PLAIN,
            snippets={
                place: f"/etc/rstudio/nginx.{place}.conf"
                for place in ("directives", "worker", "http", "server", "site")
            },
        ),
        server_add_header=('X-Words: a "b" \\ $host;{}', "Referrer-Policy: no-referrer"),
        www_frame_origin="https://portal.example.org",
    ),
}

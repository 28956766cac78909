"""What can be wrong in the configuration of a proxy, and what must be found then."""

from dataclasses import dataclass

from tests.system.reverse_proxies import Change


@dataclass(frozen=True)
class Broken:
    """changes: (text of the page's configuration, what stands there instead); codes: of the findings."""

    proxy: str
    name: str
    codes: frozenset[str]
    changes: tuple[tuple[str, str], ...]
    seconds: int = 1

    @property
    def change(self) -> Change:
        """For running_proxy."""
        return self._changed

    def _changed(self, text: str) -> str:
        for old, new in self.changes:
            assert old in text, old
            text = text.replace(old, new)
        return text


def _rows(proxy: str, table: dict[str, tuple[str, list[tuple[str, str]]]]) -> list[Broken]:
    slow = {"time-out", "websocket-time-out"}
    return [
        Broken(proxy, name, frozenset(codes.split()), tuple(changes), 3 if slow & set(codes.split()) else 1)
        for name, (codes, changes) in table.items()
    ]


def _line(start: str) -> tuple[str, str]:
    return start, f"# {start}"


_PACKED = """absolute_redirect off;
    location @packed { proxy_pass http://127.0.0.1:8787; gzip on; gzip_types text/event-stream; }
"""
_PASS = "proxy_pass http://127.0.0.1:8787;"
_CERTIFICATES = {
    "expired": "tls-expired",
    "other": "tls-name",
    "alone": "tls-chain",
    "selfsigned": "tls-issuer",
    "past-other": "tls-expired tls-name",
    "soon": "tls-ends-soon",
}

NGINX = _rows(
    "nginx",
    {
        "no upgrade": ("websocket", [_line("proxy_set_header Upgrade")]),
        "no connection": ("websocket", [("Connection $connection_upgrade", 'Connection ""')]),
        "http 1.0": ("http-1.0 websocket", [_line("proxy_http_version")]),
        "short time": ("time-out websocket-time-out", [("proxy_read_timeout 1h", "proxy_read_timeout 1s")]),
        "host": (
            "host",
            [
                ("proxy_set_header Host $http_host", "proxy_set_header Host inside"),
                ("X-Forwarded-Host $http_host", 'X-Forwarded-Host ""'),
            ],
        ),
        "scheme": ("scheme forged", [_line("proxy_set_header X-Forwarded-Proto")]),
        "cookies down": (
            "cookie-dropped",
            [("proxy_buffering off;", "proxy_buffering off; proxy_hide_header Set-Cookie;")],
        ),
        "cookies up": (
            "cookie-dropped",
            [("proxy_buffering off;", 'proxy_buffering off; proxy_set_header Cookie "";')],
        ),
        "cookie path": ("cookie-changed", [("proxy_buffering off;", "proxy_buffering off; proxy_cookie_path /r/ /;")]),
        "cookie flags": (
            "cookie-changed",
            [("proxy_buffering off;", "proxy_buffering off; proxy_cookie_flags ~ nosecure;")],
        ),
        "buffering": ("buffering", [("proxy_buffering off", "proxy_buffering on")]),
        "compression": (
            "compression",
            [
                (_PASS, "error_page 418 = @packed; if ($http_accept_encoding) { return 418; } " + _PASS),
                ("absolute_redirect off;", _PACKED),
            ],
        ),
        "body limit": ("body-limit", [("client_max_body_size 0", "client_max_body_size 20m")]),
        "request buffering": ("request-buffering", [("proxy_request_buffering off", "proxy_request_buffering on")]),
        "path doubled": ("path-changed", [(_PASS, "proxy_pass http://127.0.0.1:8787/r$request_uri;")]),
        "path taken twice": (
            "path-changed path-decoded",
            [(_PASS, 'if ($request_uri ~ "^/r/[^/]+(/.*)$") { set $rest $1; } proxy_pass http://127.0.0.1:8787$rest;')],
        ),
        "path decoded": ("path-decoded", [(_PASS, _PASS.replace(";", "/r/;"))]),
        "no forwarded for": ("x-forwarded-for forged", [_line("proxy_set_header X-Forwarded-For")]),
        "forged": ("forged", [_line("proxy_set_header X-RStudio-Root-Path")]),
        "redirect": (
            "redirect-changed",
            [("proxy_buffering off;", "proxy_buffering off; proxy_redirect /r/ /other/;")],
        ),
        "loop": ("redirect-loop", [(_PASS, "return 302 $request_uri;")]),
        "upstream": ("proxy-cannot-reach", [(_PASS, "proxy_pass http://127.0.0.1:1;")]),
        "elsewhere": ("not-this-server", [("location /r/", "location /other/")]),
        "methods": ("methods", [(_PASS, "limit_except GET POST { deny all; } " + _PASS)]),
        "no tls": ("not-tls", [("443 ssl http2", "443")]),
        **{
            f"certificate {name}": (
                codes,
                [
                    ("/etc/ssl/r.example.org.pem", f"FOLDER/{name}.pem"),
                    ("/etc/ssl/private/r.example.org.key", f"FOLDER/{name}.key"),
                ],
            )
            for name, codes in _CERTIFICATES.items()
        },
    },
)

_HOLD = """ExtFilterDefine hold intype=text/event-stream cmd="/usr/bin/tail -n 1000"
    SetOutputFilter hold"""
_GZIP = """SetEnvIf Accept-Encoding gzip packed
    ExtFilterDefine gzip intype=text/event-stream enableenv=packed cmd="/bin/gzip -c"
    SetOutputFilter gzip
    Header set Content-Encoding gzip "expr=req('Accept-Encoding') =~ /gzip/ && resp('Content-Type') =~ /event-stream/"
"""
_LIMIT = "RewriteEngine On\n    RewriteCond %{HTTP:Content-Length} -gt20000000\n    RewriteRule ^ - [R=413,L]"
_PRESERVE = "ProxyPreserveHost On"


def _more(line: str) -> list[tuple[str, str]]:
    return [(_PRESERVE, f"{_PRESERVE}\n    {line}")]


APACHE = _rows(
    "apache2",
    {
        "no upgrade": ("websocket", [(" upgrade=websocket", "")]),
        "http 1.0": ("http-1.0 websocket request-buffering", _more("SetEnv force-proxy-request-1.0 1")),
        "short time": ("time-out", [("ProxyTimeout 3600", "ProxyTimeout 1")]),
        "host": ("host x-forwarded-for", [(_PRESERVE, "ProxyPreserveHost Off\n    ProxyAddHeaders Off")]),
        "scheme": ("scheme forged", [_line("RequestHeader set X-Forwarded-Proto")]),
        "cookies down": ("cookie-dropped", _more("Header unset Set-Cookie")),
        "cookies up": ("cookie-dropped", _more("RequestHeader unset Cookie")),
        "cookie path": ("cookie-changed", _more("ProxyPassReverseCookiePath /r/ /")),
        "cookie flags": ("cookie-changed", _more('Header edit Set-Cookie "; Secure" ""')),
        "buffering": ("buffering", _more(_HOLD)),
        "compression": ("compression", _more(_GZIP)),
        "body limit": ("body-limit", _more(_LIMIT)),
        "request buffering": ("request-buffering", _more("SetInputFilter BUFFER")),
        "path doubled": ("path-changed", [(":8787/r/", ":8787/r/r/")]),
        "path taken twice": (
            "path-changed",
            [('ProxyPass "/r/" "http://127.0.0.1:8787/r/"', 'ProxyPass "/r/rs-diagnose/" "http://127.0.0.1:8787/"')],
        ),
        "path decoded": ("path-decoded", [("AllowEncodedSlashes NoDecode", "AllowEncodedSlashes Off")]),
        "no forwarded for": ("x-forwarded-for", _more("ProxyAddHeaders Off")),
        "forged": ("forged", [_line("RequestHeader unset X-RStudio-Root-Path")]),
        "redirect": ("redirect-changed", _more('Header edit Location "^/r/" "/other/"')),
        "loop": ("redirect-loop", _more("RewriteEngine On\n    RewriteRule ^/r/ %{REQUEST_URI} [R=302,L]")),
        "upstream": ("proxy-cannot-reach", [("127.0.0.1:8787", "127.0.0.1:1")]),
        "elsewhere": ("not-this-server", [('ProxyPass "/r/"', 'ProxyPass "/other/"')]),
        "methods": (
            "methods",
            _more("<Location /r/>\n<LimitExcept GET POST>\nRequire all denied\n</LimitExcept>\n</Location>"),
        ),
        "no tls": ("not-tls", [("SSLEngine on", "SSLEngine off")]),
        **{
            f"certificate {name}": (
                codes,
                [
                    ("/etc/ssl/r.example.org.pem", f"FOLDER/{name}.pem"),
                    ("/etc/ssl/private/r.example.org.key", f"FOLDER/{name}.key"),
                ],
            )
            for name, codes in _CERTIFICATES.items()
        },
    },
)

_HELD = """compression algo gzip
    compression type text/event-stream
    http-request set-var(txn.packed) req.hdr(Accept-Encoding)
    http-response wait-for-body time 20s at-least 100000 if { var(txn.packed) -m found }"""
_SERVER = "server r 127.0.0.1:8787"


def _before(line: str) -> list[tuple[str, str]]:
    return [(_SERVER, f"{line}\n    {_SERVER}")]


HAPROXY = _rows(
    "haproxy",
    {
        "no upgrade": ("websocket", _before("http-request del-header Upgrade")),
        "short time": ("time-out", [("timeout server 1h", "timeout server 1s")]),
        "short tunnel": ("websocket-time-out", [("timeout tunnel 1h", "timeout tunnel 1s")]),
        "host": (
            "host",
            [
                ("http-request set-header X-Forwarded-Host", "http-request del-header X-Forwarded-Host #"),
                *_before("http-request set-header Host inside"),
            ],
        ),
        "scheme": ("scheme forged", [_line("http-request set-header X-Forwarded-Proto")]),
        "cookies down": ("cookie-dropped", _before("http-response del-header Set-Cookie")),
        "cookies up": ("cookie-dropped", _before("http-request del-header Cookie")),
        "cookie path": (
            "cookie-changed",
            _before(r"http-response replace-header Set-Cookie (.*)Path=/r/(.*) \1Path=/\2"),
        ),
        "cookie flags": ("cookie-changed", _before(r"http-response replace-header Set-Cookie (.*);\ Secure \1")),
        "buffering": ("buffering", _before("http-response wait-for-body time 20s at-least 100000")),
        "compression": ("compression", _before(_HELD)),
        "body limit": (
            "body-limit",
            _before("http-request deny deny_status 413 if { req.hdr_val(content-length) gt 20000000 }"),
        ),
        "request buffering": ("request-buffering", _before("option http-buffer-request")),
        "path doubled": ("path-changed", _before(r"http-request replace-path /r(/.*) /r/r\1")),
        "path taken twice": ("path-changed", _before(r"http-request replace-path /r/[^/]+(/.*) \1")),
        "path decoded": ("path-decoded", _before("http-request set-path %[path,url_dec]")),
        "no forwarded for": ("x-forwarded-for forged", [_line("http-request set-header X-Forwarded-For")]),
        "forged": ("forged", [_line("http-request del-header X-RStudio-Root-Path")]),
        "redirect": ("redirect-changed", _before(r"http-response replace-header Location /r/(.*) /other/\1")),
        "loop": ("redirect-loop", [("location /r/ if { path /r }", "location /r/ if { path_beg /r/ }")]),
        "upstream": ("proxy-cannot-reach", [("127.0.0.1:8787", "127.0.0.1:1")]),
        "elsewhere": ("not-this-server", [("use_backend r if { path_beg /r/ }", "http-request deny deny_status 404")]),
        "methods": ("methods", _before("http-request deny if { method PUT PATCH DELETE }")),
        "no tls": ("not-tls", [(" ssl crt /etc/ssl/private/r.example.org.pem alpn h2,http/1.1", "")]),
        **{
            f"certificate {name}": (codes, [("/etc/ssl/private/r.example.org.pem", f"FOLDER/{name}.both")])
            for name, codes in _CERTIFICATES.items()
        },
    },
)

"""The table of faults."""

from rserver_diagnose.finding import Fault


def _each(nginx: str, apache: str, haproxy: str, traefik: str) -> dict[str, str]:
    return {"nginx": nginx, "apache": apache, "haproxy": haproxy, "traefik": traefik}


_TRUST = "in rserver.conf: www-trusted-proxies=ADDRESS of the proxy, as seen by the server"
_CERTIFICATE = _each(
    "ssl_certificate and ssl_certificate_key",
    "SSLCertificateFile and SSLCertificateKeyFile",
    "the file behind crt in the bind line",
    "certFile and keyFile in tls.certificates, or the certResolver of the router",
)
_TIMEOUTS = _each(
    "proxy_read_timeout 1h; proxy_send_timeout 1h;",
    "ProxyTimeout 3600",
    "timeout client 1h, timeout server 1h, timeout tunnel 1h",
    "forwardingTimeouts of the serversTransport: responseHeaderTimeout: 0s",
)
_FORGED = _each(
    'proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-RStudio-Request ""; '
    'proxy_set_header X-RStudio-Root-Path ""; and X-Forwarded-Host, X-Forwarded-Proto with values of their own',
    "RequestHeader unset X-Forwarded-For early, the same for X-Forwarded-Host, X-RStudio-Request, X-RStudio-Root-Path; "
    'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
    "http-request set-header X-Forwarded-For %[src], the same for X-Forwarded-Host and -Proto; "
    "http-request del-header X-RStudio-Request and X-RStudio-Root-Path",
    'middleware headers, customRequestHeaders: X-RStudio-Request: "", X-RStudio-Root-Path: ""; and no '
    "forwardedHeaders.insecure in the entry point",
)
_PATH = _each(
    "location /r/ { proxy_pass http://127.0.0.1:8787; } without a path behind the port",
    'ProxyPass "/r/" "http://127.0.0.1:8787/r/" nocanon',
    "no http-request set-path or replace-path in front of the server line",
    "no stripPrefix, addPrefix or replacePath middleware",
)

UNREACHABLE = Fault(
    "unreachable",
    "Nothing answers at this address",
    "Nobody gets in.",
    {},
    "start the proxy, open the port; where this machine cannot reach its own public name: --connect=HOST:PORT",
)
NOT_TLS = Fault(
    "not-tls",
    "What answers there does not speak TLS",
    "Browsers say that the connection is not secure.",
    _each("listen 443 ssl;", "SSLEngine on", "bind :443 ssl crt FILE", "tls: {} in the router"),
)
EXPIRED = Fault("tls-expired", "The certificate is not valid now", "Browsers refuse it.", _CERTIFICATE)
ENDS_SOON = Fault(
    "tls-ends-soon", "The certificate ends within three weeks", "Then browsers refuse it.", _CERTIFICATE, grave=False
)
WRONG_NAME = Fault("tls-name", "The certificate is for another name", "Browsers refuse it.", _CERTIFICATE)
NO_CHAIN = Fault(
    "tls-chain",
    "Certificates between this one and a known authority are not sent",
    "Some browsers, and most programs, refuse it.",
    _each(
        "ssl_certificate: a file with the certificate and its issuers (fullchain.pem)",
        "SSLCertificateFile: a file with the certificate and its issuers (fullchain.pem)",
        "crt: a file with certificate, issuers and key",
        "certFile: a file with the certificate and its issuers (fullchain.pem)",
    ),
)
UNKNOWN_ISSUER = Fault(
    "tls-issuer",
    "The certificate was issued by nobody that this machine knows",
    "Browsers that do not know the issuer refuse it.",
    _CERTIFICATE,
    "for an authority of your own: --ca-file=FILE, and install it in the browsers",
)
LOOP = Fault(
    "redirect-loop",
    "The address leads to itself again and again",
    "Browsers give up: too many redirects.",
    _each(
        "proxy_pass to the port of rserver that speaks what proxy_pass says, http or https",
        "ProxyPass to the port of rserver that speaks what the address says, http or https",
        "server line: ssl verify ... when rserver has ssl-enabled=1",
        "url of the server: https when rserver has ssl-enabled=1",
    ),
    "with TLS at the proxy: ssl-enabled=0 in rserver.conf; no redirect from / to / or from https to http",
)
ELSEWHERE = Fault(
    "redirect-elsewhere",
    "The address leads to another one",
    "Cookies and links belong to the other address.",
    {},
    "diagnose the address that people end at",
    grave=False,
)
NO_UPSTREAM = Fault(
    "proxy-cannot-reach",
    "The proxy cannot reach the server",
    "People see an error page of the proxy.",
    _each(
        "proxy_pass http://127.0.0.1:8787; as in www-address and www-port",
        'ProxyPass "/r/" "http://127.0.0.1:8787/r/"',
        "server r 127.0.0.1:8787",
        'url: "http://127.0.0.1:8787"',
    ),
    "see whether rserver runs: rstudio-server status",
)
NOT_OURS = Fault(
    "not-this-server",
    "Something else answers at this address",
    "The request, or its header X-RS-Diagnose, does not reach this server.",
    _PATH,
    "look whether the address is right and leads to this server and no other",
)
PATH_UNKNOWN = Fault(
    "path-not-told",
    "The server does not know under which path people see it",
    "Links, redirects and cookies are wrong: pages without style, sign-ins that lead nowhere.",
    _each(
        "proxy_set_header X-RStudio-Root-Path /r; only when the proxy takes the path away",
        'RequestHeader set X-RStudio-Root-Path "/r"; only when the proxy takes the path away',
        "http-request set-header X-RStudio-Root-Path /r; only when the proxy takes the path away",
        'customRequestHeaders: X-RStudio-Root-Path: "/r"; only when the proxy takes the path away',
    ),
    "in rserver.conf: www-root-path= the path of the address",
)
PATH_MANGLED = Fault(
    "path-changed",
    "The path arrives changed: doubled, taken away twice, or with another one in front",
    "Pages are not found.",
    _PATH,
)
PATH_DECODED = Fault(
    "path-decoded",
    "Encoded characters in paths are changed or refused",
    "Addresses with %2F fail: Jupyter, plumber and other programs below /p/.",
    _each(
        "proxy_pass http://127.0.0.1:8787; without a path behind the port",
        "AllowEncodedSlashes NoDecode, and nocanon at the end of ProxyPass",
        "no option http-request normalize-uri",
        "encodedCharacters.allowEncodedSlash: true in the entry point (Traefik 3.6 or newer)",
    ),
    grave=False,
)
OLD_HTTP = Fault(
    "http-1.0",
    "The proxy speaks HTTP/1.0 to the server",
    "Each request opens a new connection, WebSockets are impossible.",
    _each(
        "proxy_http_version 1.1;",
        "remove SetEnv force-proxy-request-1.0 and proxy-nokeepalive",
        "remove option httpclose; do not rewrite the version",
        "nothing: Traefik speaks HTTP/1.1",
    ),
)
WRONG_HOST = Fault(
    "host",
    "The server does not learn the host that people typed",
    "WebSockets and other requests of the page are refused as foreign, links may lead elsewhere.",
    _each(
        "proxy_set_header Host $http_host;",
        "ProxyPreserveHost On",
        "remove http-request set-header Host; http-request set-header X-Forwarded-Host %[req.hdr(Host)]",
        "passHostHeader: true in the service",
    ),
    "or X-Forwarded-Host from a proxy that is named in www-trusted-proxies",
)
WRONG_SCHEME = Fault(
    "scheme",
    "The server does not learn that people come over HTTPS",
    "Cookies lack Secure, links begin with http.",
    _each(
        "proxy_set_header X-Forwarded-Proto $scheme;",
        'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
        "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
        "nothing: Traefik says it; behind another proxy: forwardedHeaders.trustedIPs",
    ),
    f"when the header arrives but is not believed, {_TRUST}",
)
NO_FORWARDED_FOR = Fault(
    "x-forwarded-for",
    "The server does not learn who comes",
    "All visitors have the proxy's address: wrong passwords of one delay all, the audit log does not tell them apart.",
    _each(
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "ProxyAddHeaders On (the default)",
        "http-request set-header X-Forwarded-For %[src]",
        "nothing: Traefik says it",
    ),
)
UNTRUSTED = Fault(
    "untrusted",
    "The server does not believe the headers of this proxy",
    "Host, scheme, path and address of visitors are taken from the proxy's own connection.",
    {},
    _TRUST,
)
FORGED = Fault(
    "forged",
    "The proxy passes on what visitors invent in X-Forwarded or X-RStudio headers",
    "They appear under any address in the audit log and escape the delays after wrong passwords.",
    _FORGED,
)
COOKIE_NEEDS_HTTPS = Fault(
    "cookie-needs-https",
    "Cookies of this server are for HTTPS only, and the address is http",
    "Browsers drop them: nobody can sign in.",
    {},
    "give people the address with https; without HTTPS anywhere: auth-cookies-force-secure=0 in rserver.conf",
)
COOKIE_LOST = Fault(
    "cookie-dropped",
    "The proxy drops cookies",
    "Nobody can sign in.",
    _each(
        "remove proxy_hide_header Set-Cookie and proxy_set_header Cookie; no proxy_cache here",
        "remove Header unset Set-Cookie and RequestHeader unset Cookie; no CacheEnable here",
        "remove http-response del-header Set-Cookie and http-request del-header Cookie",
        'remove customResponseHeaders: Set-Cookie: ""',
    ),
)
COOKIE_CHANGED = Fault(
    "cookie-changed",
    "The proxy changes cookies",
    "Browsers drop them or send them where they do not belong; sign-ins do not last.",
    _each(
        "remove proxy_cookie_path, proxy_cookie_domain and proxy_cookie_flags",
        "remove ProxyPassReverseCookiePath, ProxyPassReverseCookieDomain and Header edit Set-Cookie",
        "remove http-response replace-header Set-Cookie and the attributes of cookie",
        "remove plugins that rewrite Set-Cookie",
    ),
)
LOCATION = Fault(
    "redirect-changed",
    "The proxy changes redirects of the server",
    "After the sign-in people land elsewhere.",
    _each(
        "proxy_redirect off;",
        "remove ProxyPassReverse and Header edit Location",
        "remove http-response replace-header Location",
        "remove the redirectRegex middleware",
    ),
)
NO_UPGRADE = Fault(
    "websocket",
    "WebSockets do not get through",
    "Output comes by polling, which is slower; Shiny and most programs below /p/ do not work.",
    _each(
        "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
        "proxy_set_header Connection $connection_upgrade;",
        "ProxyPass ... upgrade=websocket (2.4.47 or newer; module proxy_wstunnel before)",
        "remove option httpclose and http-request del-header Upgrade",
        "remove customRequestHeaders that set Connection or Upgrade",
    ),
)
SHORT_TIMEOUT = Fault(
    "time-out",
    "The proxy ends what is silent too soon",
    "Long requests end with an error of the proxy; polls of 25 s and starts of sessions fail.",
    _TIMEOUTS,
)
SHORT_TUNNEL = Fault(
    "websocket-time-out",
    "The proxy ends silent WebSockets too soon",
    "The page reconnects again and again; Shiny apps turn grey.",
    {**_TIMEOUTS, "apache": "ProxyTimeout 3600, and in ProxyPass no timeout="},
)
BUFFERED = Fault(
    "buffering",
    "The proxy holds answers back until they are complete",
    "Programs that tell their progress (event streams) seem to hang; large downloads fill the proxy's disk.",
    _each(
        "proxy_buffering off;",
        "flushpackets=on at the end of ProxyPass; no SetOutputFilter BUFFER",
        "remove http-response wait-for-body and filters that hold answers",
        'responseForwarding.flushInterval: "-1" in the service; no buffering middleware',
    ),
)
COMPRESSED = Fault(
    "compression",
    "The proxy compresses event streams and holds them back for it",
    "Programs that tell their progress seem to hang.",
    _each(
        "take text/event-stream out of gzip_types; proxy_buffering off;",
        "take text/event-stream out of AddOutputFilterByType DEFLATE; SetEnvIf Accept text/event-stream no-gzip",
        "take text/event-stream out of compression type",
        "middleware compress, excludedContentTypes: [text/event-stream]",
    ),
)
BODY_LIMIT = Fault(
    "body-limit",
    "The proxy limits the size of requests",
    "Uploads of larger files fail with 413.",
    _each(
        "client_max_body_size 0;",
        "remove RewriteCond on Content-Length and SecRequestBodyLimit; LimitRequestBody does not count for proxies",
        "remove http-request deny on req.body_size or content-length",
        "remove maxRequestBodyBytes of the buffering middleware",
    ),
)
BODY_BUFFERED = Fault(
    "request-buffering",
    "The proxy stores requests before it passes them on",
    "Uploads need room on the proxy's disk or memory and show no true progress.",
    _each(
        "proxy_request_buffering off;",
        "remove SetInputFilter BUFFER and proxy-sendcl",
        "remove option http-buffer-request and http-request wait-for-body",
        "remove the buffering middleware",
    ),
    grave=False,
)
METHODS = Fault(
    "methods",
    "The proxy refuses some methods",
    "Renaming, deleting and saving by programs and the API fail.",
    _each(
        "remove limit_except and if ($request_method ...)",
        "remove Limit, LimitExcept and AllowMethods; Dav off",
        "remove http-request deny if METH_...",
        "remove Method(...) from the rule of the router",
    ),
)

FAULTS = tuple(value for value in list(globals().values()) if isinstance(value, Fault))
